"""Fixtures for widgets without a display."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from kiosk.ui.demo.window import DemoWindow
from kiosk.ui.translations.live import Strings
from tests.fakes.ui import FakeVision


@pytest.fixture
def vision() -> FakeVision:
    return FakeVision()


@pytest.fixture
def strings(qtbot: QtBot) -> Strings:  # noqa: ARG001 - Qt needs a QApplication
    return Strings()


@pytest.fixture
def make_window(qtbot: QtBot, vision: FakeVision) -> Callable[..., DemoWindow]:
    """Returns a function that makes a demo window on `vision`. Its timer is stopped, so that the test advances it."""

    def make(width: int = 1280, height: int = 800, **options: bool) -> DemoWindow:
        window = DemoWindow(vision, **options)
        window.timer.stop()
        qtbot.addWidget(window)
        window.resize(width, height)
        window.show()
        return window

    return make
