"""The first screen, which a machine shows all day: what is painted, and how often it asks."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from kiosk.ui.products.carousel import SPEED, ProductCarousel
from kiosk.ui.shop.preferences import Appearance
from kiosk.ui.shop.screens.attract import AttractScreen
from kiosk.ui.shop.window import IDLE_TICK_MS, ShopWindow
from kiosk.ui.widgets.animation import LIVE_MS
from kiosk.vending.catalog.catalog import demo_path
from kiosk.vending.sale.state import Phase
from kiosk.vision.process.messages import VisionMode
from tests.fakes.sale_rig import Rig, catalog
from tests.fakes.ui import FakeVision, make_face, make_preview


class Paints(QObject):
    """Which widgets paint themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.widgets: list[str] = []

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        if event is not None and event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            self.widgets.append(type(watched).__name__)
        return False


@pytest.fixture
def window(qtbot: QtBot, vision: FakeVision) -> Iterator[ShopWindow]:
    rig = Rig()
    window = ShopWindow(rig.shop, vision, catalog(), demo_path(), appearance=Appearance(pixels_per_mm=4.0), now=rig.now)
    window.timer.stop()
    qtbot.addWidget(window)
    window.show()
    window.advance(2.0)  # the touch guard is down
    QApplication.processEvents()
    yield window
    window.leave()


@pytest.fixture
def paints() -> Iterator[list[str]]:
    paints = Paints()
    app = QApplication.instance()
    assert app is not None
    app.installEventFilter(paints)
    yield paints.widgets
    app.removeEventFilter(paints)


def carousel(window: ShopWindow) -> ProductCarousel:
    screen = window.screens[Phase.ATTRACT]
    assert isinstance(screen, AttractScreen)
    return screen.carousel


def test_nothing_is_painted_before_the_pictures_have_moved_by_a_pixel(window: ShopWindow, paints: list[str]) -> None:
    for _ in range(10):
        window.advance(1e-4)
        QApplication.processEvents()
    assert not paints


def test_only_the_pictures_are_painted_when_they_move(window: ShopWindow, paints: list[str]) -> None:
    for _ in range(3):
        window.advance(0.1)
        QApplication.processEvents()
    assert paints.count("ProductCarousel") == 3
    # what lies behind them, and no text, no card and no button
    assert set(paints) <= {"ProductCarousel", "AttractScreen", "ShopWindow"}


def test_the_pictures_move_by_whole_pixels_and_as_fast_as_they_should(window: ShopWindow) -> None:
    moving = carousel(window)
    before = moving.grab().toImage()
    way = 0
    for _ in range(100):
        moving.advance(0.01)
    way = round(SPEED * moving.height())
    after = moving.grab().toImage()
    middle = range(moving.width() // 3, moving.width() // 2)
    rows = range(0, moving.height(), 7)
    assert way > 5
    shifts = {
        shift
        for shift in range(way - 2, way + 3)
        if all(after.pixel(x, y) == before.pixel(x + shift, y) for x in middle for y in rows)
    }
    assert len(shifts) == 1


def test_the_window_asks_seldom_while_nobody_is_there(window: ShopWindow, vision: FakeVision) -> None:
    window.timer.start()
    vision.see()
    window.advance(0.1)
    assert window.timer.interval() == IDLE_TICK_MS
    vision.see(make_face())
    window.advance(0.1)
    assert window.timer.interval() < IDLE_TICK_MS


def test_the_window_asks_at_the_displays_rate_while_a_picture_is_shown(window: ShopWindow, vision: FakeVision) -> None:
    screen = window.screens[Phase.ATTRACT]
    assert isinstance(screen, AttractScreen)
    screen.with_camera.click()
    vision.next_preview = make_preview()
    vision.see(make_face())
    window.advance(0.1)
    assert vision.mode is VisionMode.ESTIMATE
    assert window.timer.interval() == LIVE_MS


def test_news_wake_the_window_only_while_it_shows_a_picture(
    window: ShopWindow, vision: FakeVision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.ui.shop.window.set_interval", lambda *_: None)
    window.timer.start(1_000_000)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        window.wake_on(ours.fileno())
        window.advance(0.1)
        theirs.send(b"news")
        polls = vision.polls
        QApplication.processEvents()
        assert vision.polls == polls
        screen = window.screens[Phase.ATTRACT]
        assert isinstance(screen, AttractScreen)
        screen.with_camera.click()
        window.advance(0.1)
        polls = vision.polls
        QApplication.processEvents()
        assert vision.polls > polls
        window.timer.stop()
        QApplication.processEvents()


def test_no_picture_stays_with_a_window_that_is_closed(window: ShopWindow, vision: FakeVision) -> None:
    screen = window.screens[Phase.ATTRACT]
    assert isinstance(screen, AttractScreen)
    screen.with_camera.click()
    vision.next_preview = make_preview()
    window.advance(0.1)
    assert window.panel.view.mapping is not None
    window.leave()
    assert window.panel.view.mapping is None
