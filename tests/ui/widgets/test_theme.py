from __future__ import annotations

import pytest
from PyQt6.QtCore import QSize
from PyQt6.QtGui import QColor, QFontInfo
from pytestqt.qtbot import QtBot

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.theme import Pair, Scale


def test_contrast_is_that_of_wcag() -> None:
    white, black, gray = QColor("#ffffff"), QColor("#000000"), QColor("#767676")
    assert theme.contrast(white, black) == pytest.approx(21)
    assert theme.contrast(black, white) == pytest.approx(21)
    assert theme.contrast(white, white) == pytest.approx(1)
    assert theme.contrast(gray, white) == pytest.approx(4.54, abs=0.01)


def test_a_translucent_ground_is_judged_over_the_worst_picture() -> None:
    veil = QColor(0, 0, 0, 128)
    assert theme.blend(veil, QColor("white")).red() == pytest.approx(127, abs=1)
    assert theme.worst_contrast(QColor("white"), veil) < theme.contrast(QColor("white"), QColor("black"))
    assert theme.worst_contrast(QColor("black"), QColor(255, 255, 255, 10)) < 1.2


@pytest.mark.parametrize("pair", theme.PAIRS, ids=lambda pair: pair.name)
def test_text_is_readable(pair: Pair) -> None:
    assert theme.worst_contrast(pair.text, pair.background) >= (3.0 if pair.large else 4.5)


@pytest.mark.parametrize("fill", [theme.FILL, theme.QUIET, theme.ACCENT])
def test_bars_stand_out_from_their_tracks(fill: QColor) -> None:
    assert theme.contrast(fill, theme.TRACK) >= 3.0


def test_the_likeliest_bar_stands_out_from_the_others() -> None:
    assert theme.contrast(theme.ACCENT, theme.FILL) >= 2.0


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1080, 1920), (3840, 2160), (800, 480)])
def test_sizes_follow_the_shorter_side(width: int, height: int) -> None:
    scale = Scale.of(QSize(width, height))
    assert scale.px(10) == min(width, height) // 10
    assert scale == Scale.of(QSize(height, width))


def test_text_never_falls_apart(qtbot: QtBot) -> None:  # noqa: ARG001
    assert Scale.of(QSize(200, 200)).font(theme.CAPTION).pixelSize() == theme.SMALLEST_PIXELS
    assert Scale.of(QSize(800, 480)).font(theme.CAPTION).pixelSize() >= theme.SMALLEST_PIXELS


def test_only_installed_fonts_are_asked_for(qtbot: QtBot) -> None:  # noqa: ARG001
    font = Scale.of(QSize(800, 800)).font(theme.BODY)
    assert font.families() == list(theme.families())
    assert QFontInfo(font).family() == theme.families()[0]
