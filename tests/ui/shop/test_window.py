"""The whole sale by touch: successful, and in every way in which it can fail."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PyQt6.QtCore import QPoint, Qt, QTranslator
from PyQt6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from kiosk.config import AgeCheckConfig
from kiosk.estimate import Observation
from kiosk.ui.products.tile import Tile
from kiosk.ui.shop.preferences import Appearance
from kiosk.ui.shop.presence import VISIT_OVER
from kiosk.ui.shop.screens.done import DoneScreen
from kiosk.ui.shop.screens.id_check import AskIdScreen
from kiosk.ui.shop.screens.payment import ClaimScreen
from kiosk.ui.shop.screens.products import ProductsScreen
from kiosk.ui.shop.window import ShopWindow
from kiosk.vending.catalog import catalog as catalogs
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Payment
from kiosk.vending.sale.events import EnterService, LeaveService, Start
from kiosk.vending.sale.state import Phase
from kiosk.vision.process.messages import VisionMode, VisionState
from tests.fakes.sale_rig import BEER, WATER, WINE, MemoryJournal, Rig, catalog
from tests.fakes.ui import FakeVision, make_estimate, make_face, make_preview
from tests.support.layout_judge import faults
from tools.make_screenshots import ClipVision, play, stage_for

OLD = (0.0,) * 7 + (1.0,)
YOUNG = (0.0, 0.3, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0)
LANDSCAPE, PORTRAIT = (1280, 800), (1080, 1920)
POLICY = AgeCheckConfig(automatic_pass=True)


class Machine:
    """A window on a whole machine. The test touches it, shows it faces and moves its clock."""

    def __init__(
        self, qtbot: QtBot, rig: Rig, vision: FakeVision, size: tuple[int, int], appearance: Appearance
    ) -> None:
        self.qtbot, self.rig, self.vision = qtbot, rig, vision
        self.faces: tuple[object, ...] = ()
        self.window = ShopWindow(rig.shop, vision, catalog(), catalogs.demo_path(), POLICY, appearance, now=rig.now)
        self.window.timer.stop()
        qtbot.addWidget(self.window)
        self.window.resize(*size)
        self.window.show()
        self.go(0.1)

    def go(self, seconds: float, step: float = 0.1) -> None:
        """Let `seconds` pass while the camera sees `faces`."""
        for _ in range(max(round(seconds / step), 1)):
            if self.vision.state is VisionState.RUNNING:
                self.vision.frame += round(step / 0.04)
                self.vision.see(*self.faces)  # type: ignore[arg-type]
                self.vision.next_preview = make_preview()
            self.window.advance(step)

    def see(self, ages: tuple[float, ...] | None, *, faces: int = 1) -> None:
        """Show `faces` people with these age probabilities from now on; None shows nobody."""
        one = [
            make_face(track, (80 + 200 * track, 150, 120, 120), estimate=make_estimate(ages))
            for track in range(1, faces + 1)
            if ages is not None
        ]
        self.faces = tuple(one)

    def tap(self, widget: QWidget) -> None:
        """Tap `widget` once the touch guard is gone. The test fails if another widget lies on top."""
        while self.window.touch_guard.isVisible():
            self.go(0.1)
        assert widget.isVisible(), f"{widget.accessibleName()} is not there"
        middle = widget.mapTo(self.window, widget.rect().center())
        target = self.window.childAt(middle)
        assert target is widget, f"{target} lies over {widget.accessibleName()}"
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)

    def press(self, name: str) -> None:
        """Tap the button whose text starts with `name`."""
        self.go(0.1)
        named = [
            button
            for button in self.window.findChildren(QAbstractButton)
            if button.isVisible() and button.accessibleName().startswith(name)
        ]
        assert len(named) == 1, f"{len(named)} buttons named {name!r}: {self.names}"
        self.tap(named[0])

    def start(self, *, camera: bool) -> None:
        self.press("With the camera" if camera else "Without the camera")

    def choose(self, slot: str) -> None:
        self.go(0.1)
        tile = next(tile for tile in self.window.findChildren(Tile) if tile.offer and tile.offer.slot == slot)
        self.tap(tile)

    def type_pin(self, pin: str) -> None:
        screen = self.window.screens[Phase.ASK_ID]
        assert isinstance(screen, AskIdScreen)
        for digit in pin:
            self.tap(screen.pad.keys[digit])
        self.tap(screen.pad.keys["!"])

    @property
    def names(self) -> list[str]:
        return [b.accessibleName() for b in self.window.findChildren(QAbstractButton) if b.isVisible()]

    @property
    def phase(self) -> Phase:
        return self.rig.phase

    @property
    def texts(self) -> str:
        """All visible text."""
        shown = [part for part in self.window.findChildren(QWidget) if part.isVisible()]
        return "\n".join(placed.text for part in shown for placed in getattr(part, "placed_texts", []))

    @property
    def shows_picture(self) -> bool:
        return self.window.panel.isVisible()


Make = Callable[..., Machine]


@pytest.fixture
def vision() -> FakeVision:
    return FakeVision()


@pytest.fixture
def make(qtbot: QtBot, vision: FakeVision) -> Iterator[Make]:
    machines: list[Machine] = []

    def build(size: tuple[int, int] = LANDSCAPE, appearance: Appearance | None = None, **options: object) -> Machine:
        rig = Rig(**options)  # type: ignore[arg-type]
        machines.append(Machine(qtbot, rig, vision, size, appearance or Appearance(pixels_per_mm=4.0)))
        return machines[-1]

    yield build
    for machine in machines:
        machine.window.leave()  # qtbot owns it, and cannot close a locked window


both_ways = pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])


# From the first screen to the receipt


@both_ways
@pytest.mark.parametrize("camera", [True, False], ids=["with camera", "without camera"])
def test_a_sale_by_touch_alone(make: Make, size: tuple[int, int], camera: bool) -> None:
    machine = make(size)
    machine.see(OLD)
    machine.go(0.5)
    assert machine.vision.mode is VisionMode.PRESENCE
    assert not machine.shows_picture
    machine.start(camera=camera)
    assert machine.phase is Phase.BROWSING
    machine.choose(WATER)
    assert machine.phase is Phase.SELECTED
    machine.go(0.3)
    assert machine.shows_picture == camera
    assert machine.vision.mode is (VisionMode.ESTIMATE if camera else VisionMode.PRESENCE)
    machine.press("Pay €1.80")
    machine.go(0.5)
    assert machine.phase is Phase.DONE
    assert "Thank you" in machine.texts
    assert (machine.rig.dropped, machine.rig.held) == (1, 180)
    receipt = machine.window.screens[Phase.DONE]
    assert isinstance(receipt, DoneScreen)
    assert "Water: €1.80" in receipt.code.text
    assert "Simulated" in receipt.code.text
    machine.press("Done")
    machine.go(0.1)
    assert machine.phase is Phase.ATTRACT
    assert receipt.code.text == ""


@both_ways
def test_an_age_check_that_passes(make: Make, size: tuple[int, int]) -> None:
    machine = make(size)
    machine.see(OLD)
    machine.start(camera=True)
    machine.choose(WINE)
    assert machine.phase is Phase.SELECTED
    machine.rig.terminal.default = Payment.WAIT
    machine.press("Pay €9.90")
    assert machine.phase is Phase.AGE_CHECK
    assert machine.vision.mode is VisionMode.AGE_CHECK
    mark_live(machine)
    machine.go(4.0, 0.05)
    assert machine.phase is Phase.PAYING
    assert machine.vision.mode is VisionMode.ESTIMATE
    machine.rig.terminal.approve()
    machine.go(0.5)
    assert "age_cleared" in machine.rig.kinds_of_last_sale()
    assert machine.phase is Phase.DONE


def mark_live(machine: Machine) -> None:
    """FaceMark the faces as live."""
    machine.faces = tuple(replace(face, live=True) for face in machine.faces)  # type: ignore[type-var]


# What can go wrong with the money


@pytest.mark.parametrize(
    ("behaviour", "title"),
    [
        (Payment.DECLINE, "The card was declined"),
        (Payment.CANCEL, "Payment cancelled"),
        (Payment.TIME_OUT, "No card came"),
    ],
)
def test_declined_and_tried_again(make: Make, behaviour: Payment, title: str) -> None:
    machine = make()
    machine.rig.terminal.plan([behaviour])
    machine.start(camera=False)
    machine.choose(WATER)
    machine.press("Pay")
    machine.go(0.3)
    assert machine.phase is Phase.DECLINED
    assert title in machine.texts
    machine.press("Try again")
    machine.go(0.5)
    assert machine.phase is Phase.DONE
    assert machine.rig.held == 180


def test_a_silent_terminal_is_given_up_after_a_warning(make: Make) -> None:
    machine = make()
    machine.rig.terminal.plan([Payment.SILENCE])
    machine.start(camera=False)
    machine.choose(WATER)
    machine.press("Pay")
    machine.go(76, 1.0)
    assert machine.phase is Phase.PAYING
    assert machine.window.still_there.isVisible()
    machine.go(16, 1.0)
    assert machine.phase is Phase.DECLINED
    assert "No card came" in machine.texts
    assert machine.rig.held == 0


def claim_text(machine: Machine) -> str:
    """Return the text of the claim's QR code, "" without a claim."""
    screen = machine.window.screens[machine.phase]
    assert isinstance(screen, ClaimScreen)
    assert screen.code.isVisible() == bool(screen.code.text)
    assert ("you will get the money back" in machine.texts) == bool(screen.code.text)
    return screen.code.text


@both_ways
def test_a_terminal_that_disappears_may_hold_the_money(make: Make, size: tuple[int, int]) -> None:
    machine = make(size)
    machine.rig.terminal.plan([Payment.VANISH])
    machine.start(camera=False)
    machine.choose(WATER)
    machine.press("Pay")
    machine.go(0.5)
    assert machine.phase is Phase.DECLINED
    assert "Keep this number: cafe0000-1" in machine.texts
    assert "cafe0000-1" in claim_text(machine)
    assert "Nothing was charged" not in machine.texts
    assert "Try again" not in machine.names
    machine.go(40, 1.0)
    assert machine.phase is Phase.OUT_OF_ORDER
    assert "Out of order" in machine.texts
    assert "cafe0000-1" in claim_text(machine)
    machine.rig.terminal.come_back()
    machine.go(70, 1.0)
    assert machine.phase is Phase.ATTRACT
    assert machine.rig.held == 0
    for screen in machine.window.screens.values():
        assert not isinstance(screen, ClaimScreen) or screen.code.text == ""


def test_nothing_charged_is_shown_after_the_terminal_confirms(make: Make) -> None:
    machine = make()
    machine.rig.terminal.plan([Payment.SILENCE])
    machine.rig.terminal.unheard = 2
    machine.start(camera=False)
    machine.choose(WATER)
    machine.press("Pay")
    machine.go(91, 1.0)
    assert machine.phase is Phase.DECLINED
    assert machine.rig.shop.snapshot.faults == frozenset()
    assert "cafe0000-1" in claim_text(machine)
    assert "Nothing was charged" not in machine.texts
    machine.go(15, 1.0)
    assert machine.phase is Phase.DECLINED
    assert claim_text(machine) == ""
    assert "Nothing was charged" in machine.texts


def test_cancelling_a_payment_takes_it_back(make: Make) -> None:
    machine = make()
    machine.rig.terminal.default = Payment.WAIT
    machine.start(camera=False)
    machine.choose(WATER)
    machine.press("Pay")
    machine.go(0.2)
    machine.press("Cancel")
    machine.go(0.5)
    assert machine.phase is Phase.ATTRACT
    assert machine.rig.held == 0


# What can go wrong with the goods


@pytest.mark.parametrize(("vend", "text"), [(Vend.JAM, "is stuck"), (Vend.NOTHING, "did not come")])
def test_a_jam_is_refunded(make: Make, vend: Vend, text: str) -> None:
    machine = make()
    machine.rig.dispenser.default = vend
    machine.rig.terminal.unheard = 1
    machine.start(camera=False)
    machine.choose(WATER)
    machine.press("Pay")
    machine.go(0.4)
    assert machine.phase is Phase.REFUNDING
    assert text in machine.texts
    machine.go(3.0)
    assert machine.phase is Phase.DONE
    assert "Your money is back" in machine.texts
    assert machine.rig.held == 0


def test_a_sold_out_product_cannot_be_touched(make: Make) -> None:
    machine = make()
    machine.rig.fill(WATER, 0)
    machine.start(camera=False)
    machine.go(0.1)
    assert "Sold out" in machine.texts
    machine.choose(WATER)
    assert machine.phase is Phase.BROWSING
    assert machine.rig.kinds_of_last_sale() == []


# How an age check can end


def assert_ends_with_an_id(machine: Machine) -> None:
    machine.go(16.0)
    assert machine.phase is Phase.ASK_ID
    assert "Your ID, please" in machine.texts
    assert "Hold your ID to the reader" in machine.texts


def begin_check(machine: Machine, slot: str = BEER) -> None:
    machine.start(camera=True)
    machine.choose(slot)
    machine.press("Pay")
    assert machine.phase is Phase.AGE_CHECK


def test_a_child_is_asked_for_an_id(make: Make) -> None:
    machine = make()
    machine.see(YOUNG)
    begin_check(machine)
    assert_ends_with_an_id(machine)
    machine.rig.reader.present(17)
    machine.go(0.3)
    assert machine.phase is Phase.DONE
    assert "id_confirmed" in str(machine.rig.journal.rows)


def test_a_refused_id_ends_politely(make: Make) -> None:
    machine = make()
    machine.see(YOUNG)
    begin_check(machine)
    assert_ends_with_an_id(machine)
    machine.rig.reader.present(12)
    machine.go(0.3)
    assert machine.phase is Phase.ID_REFUSED
    assert "Sorry, not this one" in machine.texts
    machine.press("Other products")
    assert machine.phase is Phase.BROWSING


def test_without_an_id_check_the_product_is_refused(make: Make) -> None:
    machine = make(verifiers=[])
    machine.start(camera=False)
    machine.choose(WINE)
    machine.press("Pay")
    assert machine.phase is Phase.ID_REFUSED


def test_two_faces_get_a_hint(make: Make) -> None:
    machine = make()
    machine.see(OLD, faces=2)
    begin_check(machine)
    machine.go(1.0)
    assert "One person, please" in machine.texts
    assert_ends_with_an_id(machine)


def test_without_a_face_the_customer_is_asked_to_look(make: Make) -> None:
    machine = make()
    begin_check(machine)
    machine.go(1.0)
    assert "Look at the screen" in machine.texts
    assert_ends_with_an_id(machine)


@pytest.mark.proves("camera-unplugged")
@pytest.mark.parametrize("state", [VisionState.NO_CAMERA, VisionState.RESTARTING, VisionState.FAILED])
def test_without_a_camera_it_asks_for_an_id_and_keeps_selling(make: Make, state: VisionState) -> None:
    machine = make()
    machine.see(OLD)
    machine.start(camera=True)
    machine.go(0.5)
    machine.vision.state = state
    machine.go(0.2)
    assert machine.window.panel.view._preview is None
    assert machine.window.panel.panel.bars.is_empty
    machine.choose(BEER)
    machine.press("Pay")
    machine.go(3.0)
    assert machine.phase is Phase.ASK_ID
    machine.press("Back")
    machine.choose(WATER)
    machine.press("Pay")
    machine.go(0.5)
    assert machine.phase is Phase.DONE


def test_a_restarted_vision_process_continues(make: Make) -> None:
    machine = make()
    machine.see(OLD)
    machine.start(camera=True)
    machine.go(0.5)
    machine.vision.state = VisionState.RESTARTING
    machine.go(1.0)
    machine.vision.state = VisionState.RUNNING
    machine.vision.frame = 0
    machine.go(1.0)
    assert machine.window.panel.view._preview is not None
    assert not machine.window.panel.panel.bars.is_empty


def test_a_customer_can_show_an_id_instead(make: Make) -> None:
    machine = make()
    begin_check(machine)
    machine.press("Show an ID instead")
    machine.go(0.1)
    assert machine.phase is Phase.ASK_ID
    assert machine.window.vision_bridge.check is None
    assert machine.vision.mode is VisionMode.PRESENCE


def test_a_check_that_was_left_is_dropped_and_not_repeated(make: Make) -> None:
    machine = make()
    machine.see(OLD)
    begin_check(machine)
    machine.go(0.5)
    assert machine.window.vision_bridge.check is not None
    machine.press("Back")
    machine.go(0.1)
    assert machine.window.vision_bridge.check is None
    machine.choose(WINE)
    machine.press("Pay")
    machine.go(0.1)
    assert machine.phase is Phase.ASK_ID
    assert machine.window.vision_bridge.check is None


def test_each_sale_has_its_own_check(make: Make) -> None:
    machine = make()
    machine.see(OLD)
    begin_check(machine)
    machine.go(0.5)
    first = machine.window.vision_bridge.check
    machine.press("Back")
    machine.press("Cancel")
    machine.see(None)
    machine.go(VISIT_OVER + 1)
    machine.see(OLD)
    machine.start(camera=True)
    machine.choose(WINE)
    machine.press("Pay")
    machine.go(0.1)
    second = machine.window.vision_bridge.check
    assert first is not None
    assert second is not None
    assert (first.legal_age, second.legal_age) == (16, 18)
    assert second.progress < first.progress


# Consent


def test_the_camera_can_be_turned_off_and_on(make: Make) -> None:
    machine = make()
    machine.see(OLD)
    machine.start(camera=True)
    machine.go(0.3)
    assert machine.shows_picture
    machine.press("Camera off")
    assert not machine.shows_picture
    assert machine.vision.mode is VisionMode.PRESENCE
    assert machine.window.panel.view._preview is None
    machine.press("Camera on")
    assert machine.shows_picture


@both_ways
def test_consent_is_withdrawn_in_the_middle_of_the_check(make: Make, size: tuple[int, int]) -> None:
    machine = make(size)
    machine.see(OLD)
    begin_check(machine)
    machine.go(0.5)
    machine.press("Camera off")
    assert machine.phase is Phase.ASK_ID
    assert not machine.shows_picture
    assert machine.vision.mode is VisionMode.PRESENCE
    machine.go(0.1)
    assert machine.window.vision_bridge.check is None
    machine.press("Back")
    machine.go(0.5)
    assert machine.phase is Phase.BROWSING
    assert not machine.shows_picture


def test_no_trace_of_a_face_stays_on_the_first_screen(make: Make) -> None:
    machine = make()
    machine.see(OLD)
    machine.start(camera=True)
    machine.go(0.5)
    panel = machine.window.panel
    assert panel.panel.estimate_page.age.number
    machine.press("Cancel")
    machine.go(0.5)
    assert not machine.shows_picture
    assert panel.view._preview is None
    assert panel.view._picture is None
    assert not panel.view.overlay.marks
    assert panel.panel.estimate_page.age.number in ("", "0")
    assert panel.panel.estimate_page.gender.text() == ""
    assert not any(panel.panel.bars.shown)
    assert machine.window.vision_bridge.check is None


# Time


def test_a_time_out_warns_and_any_touch_stays(make: Make) -> None:
    machine = make()
    machine.start(camera=False)
    machine.go(46, 1.0)
    assert machine.window.still_there.isVisible()
    machine.press("Yes, go on")
    machine.go(1.0)
    assert not machine.window.still_there.isVisible()
    assert machine.phase is Phase.BROWSING
    machine.go(46, 1.0)
    machine.qtbot.mouseClick(machine.window.still_there, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    machine.go(1.0)
    assert machine.phase is Phase.BROWSING
    machine.go(61, 1.0)
    assert machine.phase is Phase.ATTRACT
    assert not machine.window.still_there.isVisible()


def test_no_means_no(make: Make) -> None:
    machine = make()
    machine.start(camera=False)
    machine.go(46, 1.0)
    machine.press("No, clear it")
    assert machine.phase is Phase.ATTRACT


def test_a_customer_who_walks_away_is_asked_first(make: Make) -> None:
    machine = make()
    machine.see(OLD)
    machine.start(camera=True)
    machine.go(1.0)
    machine.see(None)
    machine.go(13.0)
    assert machine.window.still_there.isVisible()
    machine.see(OLD)
    machine.go(0.5)
    assert not machine.window.still_there.isVisible()
    machine.see(None)
    machine.go(23.0)
    assert machine.phase is Phase.ATTRACT


def test_a_customer_who_was_never_seen_is_not_missed(make: Make) -> None:
    machine = make()
    machine.start(camera=True)
    machine.go(30.0)
    assert machine.phase is Phase.BROWSING
    assert not machine.window.still_there.isVisible()


# Staff


class Pins:
    """An ID check that takes a PIN and never answers."""

    method = "pin"

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.wait = 0.0

    def begin(self, sale: str, minimum_age: int) -> None: ...
    def end(self, sale: str) -> None: ...

    def enter(self, pin: str) -> None:
        self.entered.append(pin)

    def wait_s(self, now: float) -> float:  # noqa: ARG002
        return self.wait

    def poll(self, now: float) -> list[object]:  # noqa: ARG002
        return []


@both_ways
def test_a_pin_goes_to_the_shop_and_nowhere_else(make: Make, size: tuple[int, int]) -> None:
    pins = Pins()
    machine = make(size, verifiers=[pins])
    machine.start(camera=False)
    machine.choose(WINE)
    machine.press("Pay")
    machine.go(0.1)
    machine.type_pin("2580")
    assert pins.entered == ["2580"]
    screen = machine.window.screens[Phase.ASK_ID]
    assert isinstance(screen, AskIdScreen)
    assert screen.dots.count == 0
    machine.tap(screen.pad.keys["1"])
    pins.wait = 27.0
    machine.go(0.1)
    assert "Next try in 27 s" in machine.texts
    assert screen.dots.count == 0
    assert not screen.pad.isEnabled()


# The customer's own way


def test_a_language_is_chosen_and_forgotten(make: Make) -> None:
    machine = make()
    machine.press("Deutsch")
    assert "Was darf es sein?" in machine.texts
    machine.press("Ohne Kamera")
    machine.go(0.1)
    assert "Bitte wählen" in machine.texts
    assert "1,80\u00a0€" in machine.texts
    machine.press("Abbrechen")
    machine.go(0.1)
    assert "What would you like?" in machine.texts


def test_a_translator_is_freed_when_the_language_changes(make: Make) -> None:
    machine = make()
    gone = []
    for name in ("Deutsch", "English") * 3:
        machine.press(name)
        gone.append(weakref.ref(machine.window._preferences._translator))
    assert [each() is None for each in gone] == [True] * 5 + [False]
    assert machine.window.findChildren(QTranslator) == []


def test_the_question_is_laid_out_for_the_current_size(make: Make) -> None:
    machine = make()
    machine.start(camera=False)
    machine.go(46, 1.0)
    assert machine.window.still_there.isVisible()
    machine.window.resize(*PORTRAIT)
    QApplication.processEvents()
    machine.go(0.1)
    assert faults(machine.window) == []
    assert machine.window.still_there.yes.geometry().bottom() > LANDSCAPE[1]


def tap_quickly(machine: Machine, name: str, times: int) -> None:
    """Tap one place several times, without any time in between, whatever lies there."""
    machine.go(1)
    (button,) = [
        each
        for each in machine.window.findChildren(QAbstractButton)
        if each.isVisible() and each.accessibleName().startswith(name)
    ]
    place = button.mapTo(machine.window, button.rect().center())
    for _ in range(times):
        target = machine.window.childAt(place) or machine.window
        at = target.mapFrom(machine.window, place)
        machine.qtbot.mouseClick(target, Qt.MouseButton.LeftButton, pos=at)


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT, (800, 480)])
@pytest.mark.parametrize("choice", ["With the camera", "Without the camera"])
def test_a_second_tap_chooses_no_product(make: Make, size: tuple[int, int], choice: str) -> None:
    machine = make(size=size)
    tap_quickly(machine, choice, 2)
    assert machine.phase is Phase.BROWSING
    machine.go(0.5)
    machine.choose(WATER)  # a moment later, touches work again
    assert machine.phase is Phase.SELECTED


def test_many_taps_on_pay_ask_the_terminal_once(make: Make) -> None:
    machine = make()
    machine.rig.terminal.default = Payment.DECLINE
    machine.start(camera=False)
    machine.choose(WATER)
    tap_quickly(machine, "Pay", 10)
    assert len(machine.rig.terminal.accounts) == 1


def test_a_second_tap_on_yes_buys_nothing(make: Make) -> None:
    machine = make()
    machine.start(camera=False)
    machine.choose(WATER)
    machine.go(32)
    tap_quickly(machine, "Yes", 2)
    assert machine.phase is Phase.SELECTED


def test_choices_that_were_left_on_the_first_screen_are_forgotten(make: Make) -> None:
    machine = make()
    machine.press("Deutsch")
    machine.go(44)
    assert "Mit der Kamera" in " ".join(machine.names) or "Mit Kamera" in " ".join(machine.names)
    machine.go(2)
    assert any(name.startswith("With the camera") for name in machine.names)


def test_large_text_and_low_reach_are_forgotten_too(make: Make) -> None:
    machine = make()
    machine.press("Large text")
    machine.press("Everything lower")
    assert machine.window.metrics.low
    assert machine.window.metrics.text.unit > machine.window.metrics.scale.unit
    machine.start(camera=False)
    machine.go(0.1)
    machine.press("Cancel")
    machine.go(0.1)
    assert not machine.window.metrics.low
    assert machine.window.metrics.text == machine.window.metrics.scale


def test_pages_turn_by_button_and_by_swipe(qtbot: QtBot) -> None:
    seen = ClipVision(Observation(1.0, 1, 31.0), make_preview())
    stage = stage_for(MemoryJournal(), seen, (800, 480), Appearance(pixels_per_mm=5.25, large_text=True))  # type: ignore[arg-type]
    qtbot.addWidget(stage.window)
    play(stage, "products", "de")
    screen = stage.window.screens[Phase.BROWSING]
    assert isinstance(screen, ProductsScreen)
    assert screen.grid.pages > 1
    assert not screen.previous_button.isEnabled()
    qtbot.mouseClick(screen.next_button, Qt.MouseButton.LeftButton)
    assert screen.page == 1
    qtbot.mouseClick(screen.previous_button, Qt.MouseButton.LeftButton)
    assert screen.page == 0
    first = [tile for tile in screen.tiles.values() if tile.isVisible()]
    middle = first[0].rect().center()
    qtbot.mousePress(first[0], Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseRelease(first[0], Qt.MouseButton.LeftButton, pos=middle - QPoint(150, 0))
    assert screen.page == 1
    assert stage.shop.snapshot.phase is Phase.BROWSING
    assert not any(tile.isVisible() for tile in first)


# The lock


@pytest.mark.proves("leave-program", "stick-keyboard")
def test_nothing_closes_a_locked_window(make: Make) -> None:
    machine = make(appearance=Appearance(locked=True))
    window = machine.window
    assert window.isFullScreen()
    assert window.windowFlags() & Qt.WindowType.FramelessWindowHint
    assert window.cursor().shape() is Qt.CursorShape.BlankCursor
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Q, Qt.Key.Key_F11, Qt.Key.Key_F4, Qt.Key.Key_Tab):
        for modifier in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier):
            machine.qtbot.keyClick(window, key, modifier)
    assert not window.close()
    assert window.isVisible()
    assert window.isFullScreen()
    window.leave()
    assert not window.isVisible()


def test_escape_closes_a_demo(make: Make) -> None:
    machine = make()
    machine.qtbot.keyClick(machine.window, Qt.Key.Key_Escape)
    assert not machine.window.isVisible()


def test_nothing_takes_the_focus_or_a_menu(make: Make) -> None:
    machine = make()
    assert machine.window.contextMenuPolicy() is Qt.ContextMenuPolicy.PreventContextMenu
    for button in machine.window.findChildren(QAbstractButton):
        assert button.focusPolicy() is Qt.FocusPolicy.NoFocus


def test_the_hidden_gesture(make: Make, qtbot: QtBot) -> None:
    machine = make()
    asked: list[bool] = []
    machine.window.service_requested.connect(lambda: asked.append(True))
    corner, elsewhere = QPoint(10, 10), QPoint(machine.window.width() // 2, 12)

    def tap(place: QPoint, times: int, pause: float) -> None:
        for _ in range(times):
            qtbot.mouseClick(machine.window.childAt(place) or machine.window, Qt.MouseButton.LeftButton, pos=place)
            machine.go(pause)

    tap(corner, 5, 1.0)
    assert not asked
    machine.go(4.0)
    tap(corner, 4, 0.2)
    tap(elsewhere, 1, 0.2)
    tap(corner, 1, 0.2)
    assert not asked
    machine.go(4.0)
    tap(corner, 5, 0.3)
    assert asked == [True]


def test_the_window_shows_the_service_widget(make: Make) -> None:
    machine = make()
    widget = QWidget()
    machine.window.set_service(widget)
    assert not widget.isVisible()
    machine.rig.shop.operate(EnterService())
    machine.go(0.1)
    assert widget.isVisible()
    assert not machine.shows_picture
    machine.rig.shop.operate(LeaveService())
    machine.go(0.1)
    assert not widget.isVisible()
    assert machine.vision.mode is VisionMode.PRESENCE


def test_turning_the_screen_keeps_the_sale(make: Make) -> None:
    machine = make()
    machine.see(OLD)
    machine.start(camera=True)
    machine.choose(WATER)
    machine.go(0.1)
    machine.window.resize(*PORTRAIT)
    QApplication.processEvents()
    machine.go(0.1)
    panel = machine.window.panel.geometry()
    assert panel.width() == PORTRAIT[0]
    assert not panel.intersects(machine.window.screens[Phase.SELECTED].geometry())
    machine.press("Pay")
    machine.go(0.5)
    assert machine.phase is Phase.DONE


def test_the_simulation_is_marked_on_every_screen(make: Make) -> None:
    machine = make()
    for act in (lambda: None, lambda: machine.rig.shop.touch(Start(False)), lambda: machine.rig.terminal.vanish()):
        act()
        machine.go(0.3)
        assert machine.window.mark.isVisible()
        assert "no real money" in machine.window.mark.text
    machine.rig.terminal.simulated = machine.rig.dispenser.simulated = False
    machine.go(0.1)
    assert machine.window.mark.text == ""
