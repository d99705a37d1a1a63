"""A display that goes and comes, as Qt tells of it; what a platform does to a window is done to it by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from kiosk.ui.runtime.display_watch import DisplayWatch
from tests.fakes.service_rig import ServiceRig


def loses_everything(window: QWidget) -> None:
    window.hide()


def shrinks(window: QWidget) -> None:
    window.setWindowState(Qt.WindowState.WindowNoState)
    window.resize(1, 1)


def is_minimised(window: QWidget) -> None:
    window.showMinimized()


@pytest.mark.proves("display-unplugged")
@pytest.mark.parametrize("becomes", [loses_everything, shrinks, is_minimised])
def test_the_window_fills_the_display_that_is_there_again(
    qtbot: QtBot, qapp: QApplication, becomes: Callable[[QWidget], None]
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.showFullScreen()
    watch = DisplayWatch(qapp, window, fullscreen=True)
    screen = qapp.primaryScreen()
    assert screen is not None
    qapp.screenRemoved.emit(screen)
    becomes(window)
    qapp.screenAdded.emit(screen)
    watch.timer.timeout.emit()
    assert window.isVisible()
    assert window.windowState() == Qt.WindowState.WindowFullScreen
    assert window.size() == screen.size()
    watch.stop()


def test_a_window_that_does_not_fill_the_screen_fits_into_the_new_one(qtbot: QtBot, qapp: QApplication) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(5000, 300)
    watch = DisplayWatch(qapp, window, fullscreen=False)
    screen = qapp.primaryScreen()
    assert screen is not None
    qapp.primaryScreenChanged.emit(screen)
    watch.timer.timeout.emit()
    assert window.isVisible()
    assert window.size() == QSize(screen.availableSize().width(), 300)
    watch.stop()


def test_without_any_display_it_waits(qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    watch = DisplayWatch(qapp, window, fullscreen=True)
    screen = qapp.primaryScreen()
    monkeypatch.setattr(watch, "_app", type("NoScreen", (), {"primaryScreen": staticmethod(lambda: None)}))
    qapp.screenRemoved.emit(screen)
    watch.timer.timeout.emit()
    assert not window.isVisible()
    monkeypatch.undo()
    qapp.screenAdded.emit(screen)
    watch.timer.timeout.emit()
    assert window.isVisible()
    watch.stop()


@pytest.mark.proves("display-unplugged")
def test_a_sale_outlives_the_display(qtbot: QtBot, qapp: QApplication, tmp_path: object) -> None:  # noqa: ARG001
    rig = ServiceRig(tmp_path)  # type: ignore[arg-type]
    watch = DisplayWatch(qapp, rig.window, fullscreen=True)
    rig.buy("A1")
    sale = rig.shop.snapshot.sale
    qapp.screenRemoved.emit(qapp.primaryScreen())
    rig.window.hide()
    assert rig.shop.snapshot.sale == sale
    rig.tick(600, 1)  # nobody can touch anything: its time-outs end it
    assert rig.shop.snapshot.sale is None
    qapp.screenAdded.emit(qapp.primaryScreen())
    watch.timer.timeout.emit()
    assert rig.window.isVisible()
    watch.stop()
    rig.close()
