"""A press counts only on a widget that stays visible, whatever hides it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt6.QtCore import QEvent, QPointF, QSize, Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from kiosk.ui.products.images import ProductImages
from kiosk.ui.products.tile import Tile
from kiosk.ui.widgets.button import Button, TouchTarget
from kiosk.ui.widgets.choice_card import Card
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vending.catalog.catalog import demo_path, load

KINDS: list[Callable[[QWidget], TouchTarget]] = [
    Button,
    lambda parent: Card(parent, "camera"),
    lambda parent: Tile(parent, ProductImages(load(demo_path()), demo_path())),
]
INSIDE, BESIDE = QPointF(50, 50), QPointF(250, 50)


class Finger:
    """Touches the window as the system tells it: Qt finds out which widget that is for."""

    def __init__(self, window: QWidget) -> None:
        self.window = window

    def press(self) -> None:
        self._send(QEvent.Type.MouseButtonPress, INSIDE, Qt.MouseButton.LeftButton)

    def move(self, to: QPointF = INSIDE) -> None:
        self._send(QEvent.Type.MouseMove, to, Qt.MouseButton.NoButton)

    def lift(self, at: QPointF = INSIDE) -> None:
        self._send(QEvent.Type.MouseButtonRelease, at, Qt.MouseButton.LeftButton)

    def _send(self, kind: QEvent.Type, place: QPointF, button: Qt.MouseButton) -> None:
        held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
        event = QMouseEvent(
            kind, place, QPointF(self.window.mapToGlobal(place.toPoint())), button, held, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(self.window.windowHandle(), event)


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(400, 100)
    return window


@pytest.fixture(params=KINDS, ids=["button", "card", "tile"])
def target(request: pytest.FixtureRequest, window: QWidget) -> TouchTarget:
    screen = QWidget(window)
    screen.resize(400, 100)
    target: TouchTarget = request.param(screen)
    target.resize(200, 100)
    if isinstance(target, Button):
        target.rescale(DisplayMetrics.of(QSize(800, 800), 4.0))
    window.show()
    return target


def screen_of(target: TouchTarget) -> QWidget:
    parent = target.parentWidget()
    assert parent is not None
    return parent


def test_a_press_that_stays_clicks(target: TouchTarget) -> None:
    clicks: list[bool] = []
    target.clicked.connect(clicks.append)
    finger = Finger(target.window())
    finger.press()
    assert target.isDown()
    finger.move(BESIDE)
    assert not target.isDown()
    finger.move()
    finger.lift()
    assert len(clicks) == 1


def test_it_is_not_down_when_its_screen_comes_back(target: TouchTarget) -> None:
    finger = Finger(target.window())
    finger.press()
    screen_of(target).hide()
    screen_of(target).show()
    assert not target.isDown()


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_finger_lifted_after_its_screen_went_clicks_nothing(target: TouchTarget, comes_back: bool) -> None:
    clicks: list[object] = []
    target.clicked.connect(clicks.append)
    if isinstance(target, Tile):
        target.swiped.connect(clicks.append)
    finger = Finger(target.window())
    finger.press()
    screen_of(target).hide()
    finger.move(BESIDE)
    screen_of(target).setVisible(comes_back)
    finger.move()
    assert not target.isDown()
    finger.lift(BESIDE if isinstance(target, Tile) else INSIDE)
    assert clicks == []
    screen_of(target).show()
    finger.press()
    finger.lift()
    assert len(clicks) == 1
