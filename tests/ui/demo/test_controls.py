"""The control window of the simulation: each button does to the sale what a real device would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QCoreApplication, QRect, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from kiosk.app.demo import DemoMachine
from kiosk.ui.demo import controls
from kiosk.ui.demo.controls import DemoControls
from kiosk.ui.translations.translator import NAMES, Language
from kiosk.vending.catalog.catalog import demo_path, load
from kiosk.vending.journal import Journal
from kiosk.vending.sale.events import Choose, Continue, ShowId, Start
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop

WATER, WINE = "A1", "C3"


class Play:
    """The machine, the shop on it and the window."""

    def __init__(self, folder: Path) -> None:
        self.machine = DemoMachine(folder)
        self.machine.set_automatic(False)
        self.journal = Journal(folder / "journal.db")
        self.shop = Shop(
            load(demo_path()),
            self.journal,
            self.machine.terminal,
            self.machine.dispenser,
            self.machine.devices.verifiers,
        )
        self.controls = DemoControls(self.machine, self.shop)
        self.controls.timer.stop()
        self.now = 0.0

    def tick(self, times: int = 4, seconds: float = 0.1) -> None:
        for _ in range(times):
            self.now += seconds
            self.shop.tick(self.now)

    def press(self, name: str) -> None:
        self.controls.buttons[name].click()
        self.tick()

    def buy(self, slot: str = WATER) -> None:
        for touch in (Start(False), Choose(slot), Continue()):
            self.shop.touch(touch)
        self.tick()

    @property
    def end(self) -> tuple[Phase, str]:
        return self.shop.snapshot.phase, self.shop.snapshot.reason


@pytest.fixture
def play(qtbot: QtBot, tmp_path: Path) -> Iterator[Play]:
    play = Play(tmp_path)
    qtbot.addWidget(play.controls)
    yield play
    play.journal.close()


@pytest.mark.parametrize(
    ("button", "wanted"),
    [
        ("Payment: Approve", (Phase.DISPENSING, "")),
        ("Payment: Answer twice", (Phase.DISPENSING, "")),
        ("Payment: Decline", (Phase.DECLINED, "card")),
        ("Payment: Cancel at reader", (Phase.DECLINED, "cancelled")),
        ("Payment: No card comes", (Phase.DECLINED, "timeout")),
        ("Payment: Stop answering", (Phase.PAYING, "")),
        ("Cables: Pull terminal", (Phase.DECLINED, "terminal")),
    ],
)
def test_what_a_terminal_can_do(play: Play, button: str, wanted: tuple[Phase, str]) -> None:
    play.buy()
    assert play.end == (Phase.PAYING, "")
    play.press(button)
    assert play.end == wanted


@pytest.mark.parametrize(
    ("button", "wanted"),
    [
        ("Goods: Drop", (Phase.DONE, "sold")),
        ("Goods: Jam", (Phase.DONE, "refunded")),
        ("Goods: Drop nothing", (Phase.DONE, "refunded")),
    ],
)
def test_what_a_dispenser_can_do(play: Play, button: str, wanted: tuple[Phase, str]) -> None:
    play.buy()
    play.press("Payment: Approve")
    play.press(button)
    assert play.end == wanted


@pytest.mark.parametrize(
    ("button", "wanted"),
    [("ID reader: ID of 40 years", Phase.PAYING), ("ID reader: ID of 15 years", Phase.ID_REFUSED)],
)
def test_what_an_id_reader_can_do(play: Play, button: str, wanted: Phase) -> None:
    play.buy(WINE)
    play.shop.touch(ShowId())
    assert play.end[0] is Phase.ASK_ID
    play.press(button)
    assert play.end[0] is wanted


@pytest.mark.parametrize(
    ("button", "wanted"),
    [
        ("Next payment: Decline it", Phase.DECLINED),
        ("Next payment: Approve, reply lost", Phase.PAYING),
        ("Next payment: Late approval", Phase.PAYING),
        ("Next vend: Jam it", Phase.DONE),
        ("Next vend: Nothing falls", Phase.DONE),
        ("Next vend: No answer", Phase.DISPENSING),
    ],
)
def test_what_is_planned_happens_once_by_itself(play: Play, button: str, wanted: Phase) -> None:
    play.controls.auto.click()
    play.press(button)
    play.buy()
    play.tick(10, 0.7)
    assert play.end[0] is wanted
    if wanted is Phase.DONE:
        assert play.end[1] == "refunded"


def test_by_itself_a_sale_succeeds_after_a_moment(play: Play) -> None:
    play.controls.auto.click()
    assert play.machine.automatic
    assert play.controls.auto.text().endswith("on")
    play.buy()
    assert play.end[0] is Phase.PAYING
    play.tick(3)
    assert play.end[0] is Phase.PAYING
    play.tick(10, 0.7)
    assert play.end == (Phase.DONE, "sold")


def test_cables_come_back(play: Play) -> None:
    for device in ("terminal", "dispenser"):
        play.press(f"Cables: Pull {device}")
        assert device in play.shop.snapshot.faults
        play.press(f"Cables: Plug {device}")
        assert play.shop.snapshot.faults == frozenset()


def test_every_button_can_be_pressed_when_nothing_waits(play: Play) -> None:
    for button in play.controls.buttons.values():
        button.click()
    play.tick()
    assert play.end[0] in (Phase.ATTRACT, Phase.OUT_OF_ORDER)


def test_it_says_who_waits_and_the_pins(play: Play) -> None:
    assert play.machine.attendant_pin in play.controls.facts.text()
    assert play.controls.state.text() == "First screen: nothing is waiting"
    play.buy()
    play.controls._renew()
    assert play.controls.state.text() == "Payment: the terminal waits for you"


def test_it_follows_the_language_of_the_shop(play: Play) -> None:
    german = Language("de")
    QCoreApplication.installTranslator(german)
    try:
        QApplication.processEvents()
        texts = [button.text() for button in play.controls.buttons.values()]
        assert texts[:2] == ["Genehmigen", "Ablehnen"]
        assert play.controls.groups[0].text() == "<b>Zahlung</b>"
        assert play.machine.service_pin in play.controls.facts.text()
        assert play.controls.state.text() == "Erster Bildschirm: nichts zu tun"
        play.press("Payment: Approve")
    finally:
        QCoreApplication.removeTranslator(german)
    QApplication.processEvents()
    assert play.controls.buttons["Payment: Approve"].text() == "Approve"


@pytest.mark.parametrize("code", NAMES)
def test_no_text_is_cut_off(play: Play, code: str) -> None:
    spoken = Language(code)
    QCoreApplication.installTranslator(spoken)
    try:
        QApplication.processEvents()
        for phase in Phase:
            play.controls.state.setText(play.controls._strings.state(phase, terminal=True, dispenser=True, reader=True))
        play.controls.adjustSize()
        for button in (*play.controls.buttons.values(), play.controls.auto):
            assert button.width() >= button.sizeHint().width(), button.text()
        assert play.controls.width() <= 700
    finally:
        QCoreApplication.removeTranslator(spoken)


def test_the_machine_does_not_live_on_for_its_controls_alone(play: Play, qtbot: QtBot) -> None:  # noqa: ARG001
    assert not play.controls.testAttribute(Qt.WidgetAttribute.WA_QuitOnClose)


@pytest.fixture
def screen() -> QRect:
    primary = QGuiApplication.primaryScreen()
    assert primary is not None
    return primary.availableGeometry()


def shown_beside(play: Play, qtbot: QtBot, shop: QRect, *, full: bool = False) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.setGeometry(shop)
    if full:
        window.setWindowState(Qt.WindowState.WindowFullScreen)
    play.controls.show_beside(window)
    assert window.isVisible(), "shown later it would lie over its controls"
    assert play.controls.isVisible()
    return window


def test_a_shop_as_wide_as_the_screen_makes_room_for_its_controls(
    play: Play, qtbot: QtBot, screen: QRect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "NARROWEST", 300)
    shop = shown_beside(play, qtbot, screen)
    assert not shop.frameGeometry().intersects(play.controls.frameGeometry())
    assert screen.contains(play.controls.frameGeometry())
    assert shop.height() == screen.height()
    assert play.controls.unfold.isHidden()


def test_a_shop_that_stands_in_the_middle_is_moved_before_it_is_made_narrower(
    play: Play, qtbot: QtBot, screen: QRect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "NARROWEST", 300)
    shop = shown_beside(play, qtbot, QRect(screen.left() + 200, screen.top(), 350, 300))
    assert shop.width() == 350
    assert not shop.frameGeometry().intersects(play.controls.frameGeometry())
    assert screen.contains(play.controls.frameGeometry())


@pytest.mark.parametrize("full", [False, True], ids=["narrow", "full screen"])
def test_where_there_is_no_room_they_are_one_button_in_the_corner_that_unfolds(
    play: Play, qtbot: QtBot, screen: QRect, full: bool
) -> None:
    shown_beside(play, qtbot, screen, full=full)
    controls = play.controls
    assert controls.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    approve = controls.buttons["Payment: Approve"]
    assert not approve.isVisible()
    assert controls.height() < 46, "or else it covers what is below the line that says that all is simulated"
    assert controls.width() < 150
    assert controls.geometry().topRight() == screen.topRight()
    qtbot.mouseClick(controls.unfold, Qt.MouseButton.LeftButton)
    assert approve.isVisible()
    assert controls.geometry().topRight() == screen.topRight()
    qtbot.mouseClick(controls.unfold, Qt.MouseButton.LeftButton)
    assert not approve.isVisible()
    assert controls.height() < 46


def test_a_language_of_longer_words_still_fits_beside_the_shop(
    play: Play, qtbot: QtBot, screen: QRect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "NARROWEST", 300)
    shop = shown_beside(play, qtbot, screen)
    width = play.controls.width()
    german = Language("de")
    QCoreApplication.installTranslator(german)
    try:
        QApplication.processEvents()
        assert play.controls.width() > width
        assert screen.contains(play.controls.frameGeometry())
        assert not shop.frameGeometry().intersects(play.controls.frameGeometry())
    finally:
        QCoreApplication.removeTranslator(german)


def test_a_language_too_long_for_the_place_beside_folds_them_up(
    play: Play, qtbot: QtBot, screen: QRect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "NARROWEST", 400)
    shown_beside(play, qtbot, screen)
    assert play.controls.unfold.isHidden()
    german = Language("de")
    QCoreApplication.installTranslator(german)
    try:
        QApplication.processEvents()
        assert play.controls.isVisible()
        assert play.controls.unfold.isVisible()
        assert play.controls.geometry().topRight() == screen.topRight()
    finally:
        QCoreApplication.removeTranslator(german)
