from __future__ import annotations

import pytest
from PyQt6.QtCore import QRect, QSize
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from kiosk.ui.widgets.layout import ColumnItem, arrange_column, arrange_row, split
from kiosk.ui.widgets.metrics import DisplayMetrics, pixels_per_mm
from kiosk.ui.widgets.text import SMALLEST_SHARE, Text, fit_font, fits
from kiosk.ui.widgets.theme import Scale

LOOK = DisplayMetrics.of(QSize(800, 480), 5.25)


def test_a_target_has_15_millimetres_whatever_the_screen() -> None:
    assert DisplayMetrics.of(QSize(800, 480), 5.25).touch == 79
    assert DisplayMetrics.of(QSize(1080, 1920), 2.7).touch >= 15 * 2.7
    assert DisplayMetrics.of(QSize(3840, 2160), 4.0).touch >= 60


def test_a_density_of_another_screen_leaves_room_for_something_else() -> None:
    assert DisplayMetrics.of(QSize(800, 480), 40.0).touch == 480 // 5


def test_large_text_is_larger_and_spaces_are_not() -> None:
    large = DisplayMetrics.of(QSize(800, 480), 5.25, large_text=True)
    assert large.text.unit > 1.2 * large.scale.unit
    assert large.scale == LOOK.scale


def test_a_screen_that_does_not_know_its_density(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    assert 40 / 25.4 <= pixels_per_mm(widget) <= 400 / 25.4


def test_text_gets_smaller_until_it_fits(qtbot: QtBot) -> None:  # noqa: ARG001
    scale, room = Scale(8.0), QSize(160, 60)
    font = fit_font(scale, 4.0, QFont.Weight.Normal, "Karte vorhalten oder einstecken", room)
    assert fits(font, "Karte vorhalten oder einstecken", room)
    assert font.pixelSize() < 32
    smallest = fit_font(scale, 4.0, QFont.Weight.Normal, "much " * 400, room)
    assert smallest.pixelSize() == pytest.approx(32 * SMALLEST_SHARE, abs=1)


def test_a_column_shrinks_its_parts_together(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    parts = [QWidget(window) for _ in range(3)]
    text = Text(window)
    text.rescale(LOOK)
    for part in parts:
        part.show()
    window.show()
    wants = [
        ColumnItem(parts[0], 100, 50),
        ColumnItem(text),
        ColumnItem(parts[1], 100, least=90),
        ColumnItem(parts[2], 100),
    ]
    area = QRect(10, 20, 200, 240)
    arrange_column(area, wants, 12)
    places = [part.geometry() for part in parts]
    assert all(area.contains(place) for place in places)
    assert places[0].bottom() < places[1].top() < places[1].bottom() < places[2].top()
    assert places[1].height() >= 90
    assert places[0].width() == 50
    assert places[0].center().x() == pytest.approx(area.center().x(), abs=1)


def test_a_row_fills_its_area(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    parts = [QWidget(window) for _ in range(3)]
    arrange_row(QRect(5, 6, 301, 40), parts, 7, [1, 1, 2])
    assert parts[0].x() == 5
    assert parts[2].geometry().right() == pytest.approx(305, abs=1)
    assert parts[2].width() > parts[1].width()
    upper, lower = split(QRect(0, 10, 50, 100), 30)
    assert (upper.getRect(), lower.getRect()) == ((0, 10, 50, 70), (0, 80, 50, 30))
