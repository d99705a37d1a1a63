"""Calls the watchdog from Qt's event loop, so that it expires when the window hangs."""

from __future__ import annotations

import time

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QWidget

from kiosk.system.sd_notify import ServiceManager
from kiosk.system.watchdog import HealthChecks, Watchdog


class WatchdogTimer:
    """Notifies the service manager that the machine is ready, then alive, and at the end that it stops."""

    def __init__(self, window: QWidget, checks: HealthChecks, manager: ServiceManager | None = None) -> None:
        self._manager = manager or ServiceManager()
        self._watchdog = Watchdog(checks, self._manager, time.monotonic())
        self._timer = QTimer(window)
        self._timer.setInterval(round(self._watchdog.interval_s * 1000))
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Starts with the first turn of the event loop, when the window can be touched."""
        QTimer.singleShot(0, self._begin)

    def stop(self) -> None:
        """Reports that the machine is stopping."""
        self._manager.stopping()

    def _begin(self) -> None:
        self._manager.ready()
        self._beat()
        self._timer.start()

    def _beat(self) -> None:
        self._watchdog.check(time.monotonic())
