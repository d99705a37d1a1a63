"""A window whose event loop turns gives its sign of life, and only then."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from kiosk.system.sd_notify import ServiceManager
from kiosk.system.watchdog import HealthChecks
from kiosk.ui.runtime.watchdog_timer import WatchdogTimer


class Manager(ServiceManager):
    def __init__(self, watchdog_s: float) -> None:
        super().__init__({})
        self.watchdog_s = watchdog_s
        self.told: list[str] = []

    def notify(self, message: str) -> None:
        self.told.append(message.partition("\n")[0])


@pytest.mark.proves("window-hangs")
def test_it_is_ready_once_the_loop_turns_then_lives_then_stops(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    manager = Manager(watchdog_s=0.03)
    watchdog = WatchdogTimer(
        window, HealthChecks(lambda: True, lambda: True, lambda: False, lambda: "selling"), manager
    )
    watchdog.start()
    assert manager.told == []
    qtbot.waitUntil(lambda: manager.told.count("WATCHDOG=1") >= 3, timeout=60_000)
    assert manager.told[:3] == ["READY=1", "STATUS=selling", "WATCHDOG=1"]
    watchdog.stop()
    assert manager.told[-1] == "STOPPING=1"
