from __future__ import annotations

import pytest
from PyQt6.QtCore import QRectF, QSize
from PyQt6.QtGui import QImage, QPainter, QPalette
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kiosk.estimate import ADIENCE, DECADES
from kiosk.ui.live.age_bars import AgeBars
from kiosk.ui.live.estimate_panel import EstimatePanel
from kiosk.ui.translations.live import Strings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.theme import Scale
from tests.fakes.ui import THIRTIES, make_estimate, make_face


@pytest.fixture
def panel(qtbot: QtBot, strings: Strings) -> EstimatePanel:
    panel = EstimatePanel(strings, DECADES)
    qtbot.addWidget(panel)
    panel.resize(456, 800)
    panel.rescale(Scale.of(QSize(1280, 800)), upright=False)
    panel.show()
    return panel


def _count(panel: EstimatePanel, name: str) -> int:
    """How many pixels of the panel have the colour `name`."""
    image = panel.grab().toImage()
    return sum(
        image.pixelColor(x, y).name() == name for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)
    )


def test_nobody_is_invited(panel: EstimatePanel) -> None:
    assert panel.sentence_page.isVisible()
    assert panel.sentence_page.title.text() == "Step closer"
    assert panel.bars.is_empty
    assert panel.bars.emphasised is None
    assert _count(panel, theme.ACCENT.name()) == 0


def test_known(panel: EstimatePanel) -> None:
    panel.show_face(make_face(estimate=make_estimate()))
    panel.advance(10.0)
    assert panel.estimate_page.isVisible()
    assert panel.estimate_page.age.word == "about"
    assert panel.estimate_page.age.number == str(round(make_estimate().expected_age))
    assert panel.estimate_page.gender.text() == "Male"
    assert panel.estimate_page.probability.text() == "94%"
    assert panel.bars.shown == THIRTIES
    assert panel.bars.emphasised == THIRTIES.index(max(THIRTIES))
    assert panel.bars.certain
    assert panel.face_icon.colour == theme.ACCENT
    assert _count(panel, theme.ACCENT.name()) > 200


def test_labels_that_are_still_shown_stand_out_though_others_are_likelier(panel: EstimatePanel) -> None:
    panel.show_face(make_face(estimate=make_estimate().showing("female", DECADES[5])))
    assert panel.estimate_page.gender.text() == "Female"
    assert panel.estimate_page.probability.text() == "6%"
    assert panel.bars.emphasised == 5


def test_estimating_is_gray_and_says_so(panel: EstimatePanel) -> None:
    panel.show_face(make_face(status="estimating", estimate=make_estimate()))
    panel.advance(10.0)
    assert panel.estimate_page.isVisible()
    assert panel.heading.text() == "Estimating…"
    assert panel.estimate_page.age.colour == theme.QUIET
    assert panel.estimate_page.gender.palette().color(QPalette.ColorRole.WindowText) == theme.QUIET
    assert not panel.bars.certain
    uncertain = _count(panel, theme.ACCENT.name())
    panel.show_face(make_face(estimate=make_estimate()))
    assert panel.estimate_page.age.colour == theme.TEXT
    assert _count(panel, theme.ACCENT.name()) > uncertain + 200


def test_estimating_without_an_estimate_shows_no_number(panel: EstimatePanel) -> None:
    panel.show_face(make_face(status="estimating"))
    assert panel.sentence_page.isVisible()
    assert panel.sentence_page.title.text() == "Estimating…"
    assert panel.bars.is_empty
    assert panel.face_icon.colour == theme.ACCENT


def test_unknown_shows_no_number_even_with_an_estimate(panel: EstimatePanel) -> None:
    panel.show_face(make_face(status="known", estimate=make_estimate()))
    panel.show_face(make_face(status="unknown", estimate=make_estimate()))
    panel.advance(10.0)
    assert not panel.estimate_page.isVisible()
    assert panel.sentence_page.title.text() == "Unknown"
    assert panel.bars.is_empty
    assert set(panel.bars.shown) == {0.0}


def test_several_people_are_told_whom_it_speaks_of(panel: EstimatePanel) -> None:
    panel.show_face(make_face(estimate=make_estimate()), faces=3)
    assert panel.heading.text() == "Nearest of 3 people"


def test_the_age_is_steady_for_one_person_and_not_for_another(panel: EstimatePanel) -> None:
    forty_four = (0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    a_little_more = (0.0, 0.0, 0.0, 0.0, 0.0, 0.985, 0.015, 0.0)
    panel.show_face(make_face(1, estimate=make_estimate(forty_four)))
    assert panel.estimate_page.age.number == "44"
    panel.show_face(make_face(1, estimate=make_estimate(a_little_more)))
    assert make_estimate(a_little_more).expected_age == pytest.approx(44.65)
    assert panel.estimate_page.age.number == "44"
    panel.show_face(make_face(2, estimate=make_estimate(a_little_more)))
    assert panel.estimate_page.age.number == "45"


def test_bars_glide(panel: EstimatePanel) -> None:
    panel.show_face(make_face(estimate=make_estimate()))
    assert set(panel.bars.shown) == {0.0}
    panel.advance(0.03)
    assert 0.0 < panel.bars.shown[4] < THIRTIES[4]
    assert 0.0 < panel.bars.presence < 1.0
    panel.advance(10.0)
    assert panel.bars.shown == THIRTIES


def test_a_bar_is_as_long_as_it_says(panel: EstimatePanel) -> None:
    panel.show_face(make_face(estimate=make_estimate((0.0, 0.0, 0.0, 0.25, 0.0, 0.75, 0.0, 0.0))))
    panel.advance(10.0)
    image = panel.bars.grab().toImage()
    pitch = panel.bars.height() / 8

    def length(row: int, colour: str) -> int:
        y = round((row + 0.5) * pitch)
        return sum(image.pixelColor(x, y).name() == colour for x in range(image.width()))

    most, some = length(5, theme.ACCENT.name()), length(3, theme.FILL.name())
    whole = length(0, theme.TRACK.name())
    assert most == pytest.approx(0.75 * whole, abs=4)
    assert some == pytest.approx(0.25 * whole, abs=4)
    assert length(0, theme.FILL.name()) == 0


def test_only_the_rows_that_look_different_are_painted(panel: EstimatePanel, monkeypatch: pytest.MonkeyPatch) -> None:
    panel.show_face(make_face(estimate=make_estimate()))
    panel.advance(10.0)
    QApplication.processEvents()
    rows: list[int] = []
    paint = AgeBars._paint_row

    def watched(self: AgeBars, painter: QPainter, row: int, area: QRectF) -> None:
        rows.append(row)
        paint(self, painter, row, area)

    monkeypatch.setattr(AgeBars, "_paint_row", watched)
    hardly = list(THIRTIES)
    hardly[4] -= 1e-5
    hardly[5] += 1e-5
    panel.show_face(make_face(estimate=make_estimate(tuple(hardly))))
    panel.advance(0.03)
    QApplication.processEvents()
    assert not rows
    other = list(THIRTIES)
    other[1] += other[4] / 4
    other[4] -= other[4] / 4
    panel.show_face(make_face(estimate=make_estimate(tuple(other))))
    for _ in range(100):
        panel.advance(0.03)
        QApplication.processEvents()
    assert set(rows) == {1, 4}
    shown = panel.screen().grabWindow(panel.winId()).toImage()
    whole = QImage(shown.size(), shown.format())
    panel.render(whole)
    assert shown == whole


def test_groups_come_with_the_estimate(panel: EstimatePanel) -> None:
    panel.show_face(make_face(estimate=make_estimate(groups=ADIENCE)))
    panel.advance(10.0)
    assert panel.bars.groups == ADIENCE
    assert panel.bars.shown == THIRTIES


def test_the_bars_stay_where_they_are(panel: EstimatePanel) -> None:
    places = set()
    for face in (
        make_face(estimate=make_estimate()),
        make_face(status="estimating"),
        make_face(status="unknown"),
    ):
        panel.show_face(face)
        panel.grab()
        places.add(panel.bars.geometry().getRect())
    assert len(places) == 1


def test_text_beside_its_bar_is_never_wider_than_its_column(panel: EstimatePanel) -> None:
    labels, percents = panel.bars.column_widths()
    assert labels + percents < panel.bars.width() / 2
    assert panel.bars.height() >= panel.bars.sizeHint().height()
