"""`kiosk run --demo` as a whole, run_walk by touch: the real vision process, journal and clocks, and Qt's own loop.

Each test is one run of the machine. Nothing is reached into but for where to touch and what to wait for.
"""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from kiosk.app import demo
from kiosk.app import machine as run
from kiosk.app.machine import RunOptions
from kiosk.config import Config, load
from kiosk.ui.demo.controls import DemoControls
from kiosk.ui.runtime import event_loop
from kiosk.ui.shop.screens.id_check import AskIdScreen
from kiosk.ui.shop.window import ShopWindow
from kiosk.vending.journal import read
from kiosk.vending.journal.ledger import fold
from kiosk.vending.sale.state import Phase
from kiosk.vision.capture.source import DEMO, open_source
from kiosk.vision.process.messages import VisionState

PATIENCE_MS = 60_000
"""For anything that a busy machine does at last."""
CATALOG = """
currency = "EUR"
[[product]]
slot = "A1"
name = { en = "Water" }
price = 150
capacity = 9
stock = 9
[[product]]
slot = "A2"
name = { en = "Cola" }
price = 220
capacity = 9
stock = 1
[[product]]
slot = "C1"
name = { en = "Wine" }
price = 990
capacity = 9
stock = 9
minimum_age = 18
"""


class Customer:
    """A simulated customer who touches the shop's window and the control window and reads both."""

    def __init__(self, window: ShopWindow, qtbot: QtBot) -> None:
        self.window, self.qtbot = window, qtbot
        open_ones = (each for each in QApplication.topLevelWidgets() if each.isVisible())
        (self.controls,) = (each for each in open_ones if isinstance(each, DemoControls))
        if self.controls.unfold.isVisible():
            qtbot.mouseClick(self.controls.unfold, Qt.MouseButton.LeftButton)

    def until(self, holds: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=PATIENCE_MS)

    def reaches(self, phase: Phase) -> None:
        self.until(lambda: self.window.screens[phase].isVisible())

    def sees(self, text: str) -> None:
        self.until(lambda: text in self._texts)

    def touch(self, name: str) -> None:
        """Taps the button with this name, once it is shown and uncovered."""
        self.until(lambda: self.window.touch_guard.isHidden() and len(self._named(name)) == 1)
        self._tap(self._named(name)[0])

    def buy(self, product: str, price: str, *, camera: bool = False) -> None:
        """Goes from the first screen to the payment, or to the question before it."""
        self.touch("With the camera" if camera else "Without the camera")
        self.touch(product)
        self.touch(f"Pay {price}")

    def takes_the_receipt(self) -> None:
        self.reaches(Phase.DONE)
        self.touch("Done")
        self.reaches(Phase.ATTRACT)

    def gives_up(self) -> None:
        self.touch("Cancel")
        self.reaches(Phase.ATTRACT)

    def plays(self, button: str) -> None:
        """Clicks a button of the control window."""
        self.qtbot.mouseClick(self.controls.buttons[button], Qt.MouseButton.LeftButton)

    def staff_confirms(self) -> None:
        screen = self.window.screens[Phase.ASK_ID]
        assert isinstance(screen, AskIdScreen)
        self.until(lambda: self.window.touch_guard.isHidden())
        for key in f"{self.controls._machine.attendant_pin}!":
            self._tap(screen.pad.keys[key])

    @property
    def vision(self):  # type: ignore[no-untyped-def]
        return self.window._vision._vision  # type: ignore[attr-defined]

    @property
    def _texts(self) -> str:
        shown = (part for part in self.window.findChildren(QWidget) if part.isVisible())
        return "\n".join(placed.text for part in shown for placed in getattr(part, "placed_texts", []))

    def _named(self, name: str) -> list[QAbstractButton]:
        buttons = (each for each in self.window.findChildren(QAbstractButton) if each.isVisible() and each.isEnabled())
        return [each for each in buttons if each.accessibleName().startswith(name)]

    def _tap(self, button: QWidget) -> None:
        middle = button.mapTo(self.window, button.rect().center())
        assert self.window.childAt(middle) is button, f"something lies over {button.accessibleName()}"
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


Walk = Callable[[Customer], None]
Machine = Callable[[str, Walk], list[str]]


@pytest.fixture
def machine(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Returns a function that runs the machine with a walk and returns how its sales ended, from the journal."""
    (tmp_path / "goods.toml").write_text(CATALOG)
    (tmp_path / "kiosk.toml").write_text('[shop]\ncatalog = "goods.toml"\n[sound]\nenabled = false\n')
    monkeypatch.setattr(demo, "PAYMENT_SECONDS", 0.2)
    monkeypatch.setattr(demo, "MOTOR_SECONDS", 0.2)
    monkeypatch.setattr(run, "_disable_core_dumps", lambda: None)  # holds for good, and this process goes on
    monkeypatch.setattr(run.log_setup, "set_up", lambda *_: None)

    def start(source: str, walk: Walk) -> list[str]:
        config: Config = load(tmp_path / "kiosk.toml")
        outcomes: list[str] = []
        errors: list[BaseException] = []
        show = event_loop.show_until_closed

        def run_walk(app: QApplication, window: ShopWindow, *rest: object) -> None:
            def begin() -> None:
                try:
                    walk(Customer(window, qtbot))
                    shop = window.shop
                    entries = read(shop._journal._path)
                    assert fold(entry.fact for entry in entries) == shop.state.ledger
                    outcomes.extend(entry.fact.outcome for entry in entries if hasattr(entry.fact, "outcome"))
                except BaseException as error:
                    errors.append(error)
                finally:
                    window.leave()
                    app.quit()

            QTimer.singleShot(0, begin)
            show(app, window, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(event_loop, "show_until_closed", run_walk)
        run.run(config, RunOptions(demo=True, source=source))
        if errors:
            raise errors[0]
        return outcomes

    yield start
    # A quit that is heard of after its loop has ended would end every later one at once, until the next `exec`.
    QTimer.singleShot(0, QApplication.quit)
    QApplication.exec()


def pictures(folder: Path, *images: np.ndarray) -> str:
    """A source that shows these without end."""
    folder.mkdir()
    for index, image in enumerate(images):
        cv2.imwrite(str(folder / f"{index}.png"), image)
    return str(folder)


def frames(*wanted: int) -> list[np.ndarray]:
    """Of the demo clip."""
    source = open_source(DEMO)
    found = []
    for frame in source.frames():
        assert frame is not None
        if frame.index in wanted:
            found.append(frame.image)
        if len(found) == len(wanted):
            break
    source.close()
    return found


def test_a_customer_without_the_camera(machine: Machine) -> None:
    def walk(customer: Customer) -> None:
        customer.buy("Water", "€1.50")
        customer.takes_the_receipt()

        customer.plays("Next payment: Decline it")
        customer.buy("Water", "€1.50")
        customer.reaches(Phase.DECLINED)
        customer.touch("Try again")
        customer.takes_the_receipt()

        customer.plays("Next vend: Jam it")
        customer.buy("Water", "€1.50")
        customer.sees("Your money is back")
        customer.takes_the_receipt()

        customer.buy("Cola", "€2.20")
        customer.takes_the_receipt()
        customer.touch("Without the camera")
        customer.sees("Sold out")
        assert customer._named("Cola") == []
        customer.gives_up()

    assert machine(DEMO, walk) == ["sold", "sold", "refunded", "sold"]


def test_a_terminal_that_waits_in_vain(machine: Machine) -> None:
    def walk(customer: Customer) -> None:
        customer.qtbot.mouseClick(customer.controls.auto, Qt.MouseButton.LeftButton)
        customer.buy("Water", "€1.50")
        customer.reaches(Phase.PAYING)
        customer.until(lambda: customer.controls._machine.terminal.waiting)
        customer.plays("Payment: No card comes")
        customer.reaches(Phase.DECLINED)
        customer.gives_up()

    assert machine(DEMO, walk) == ["cancelled"]


def test_a_customer_with_the_camera_who_is_clearly_old_enough(machine: Machine, tmp_path: Path) -> None:
    def walk(customer: Customer) -> None:
        customer.buy("Wine", "€9.90", camera=True)
        customer.takes_the_receipt()

    assert machine(pictures(tmp_path / "old", *frames(262, 263, 264)), walk) == ["sold"]


def test_a_child_is_asked_for_an_id_and_staff_decide(machine: Machine, tmp_path: Path) -> None:
    def walk(customer: Customer) -> None:
        customer.buy("Wine", "€9.90", camera=True)
        customer.reaches(Phase.ASK_ID)
        customer.staff_confirms()
        customer.takes_the_receipt()

    assert machine(pictures(tmp_path / "child", *frames(36, 37, 38)), walk) == ["sold"]


def test_two_faces_are_told_so_and_then_asked_for_an_id(machine: Machine, tmp_path: Path) -> None:
    (one,) = frames(216)
    half = one[:, 240:720]

    def walk(customer: Customer) -> None:
        customer.buy("Wine", "€9.90", camera=True)
        customer.sees("One person, please")
        customer.touch("Show an ID instead")
        customer.reaches(Phase.ASK_ID)
        customer.gives_up()

    assert machine(pictures(tmp_path / "two", np.hstack([half, half])), walk) == ["cancelled"]


def test_without_a_face_in_view_an_id_is_asked(machine: Machine, tmp_path: Path) -> None:
    def walk(customer: Customer) -> None:
        customer.buy("Wine", "€9.90", camera=True)
        customer.reaches(Phase.ASK_ID)
        customer.gives_up()

    assert machine(pictures(tmp_path / "nobody", *frames(0)), walk) == ["cancelled"]


def test_a_camera_that_is_away_asks_for_an_id_and_sells_on(machine: Machine) -> None:
    def walk(customer: Customer) -> None:
        customer.buy("Wine", "€9.90", camera=True)
        customer.reaches(Phase.ASK_ID)
        assert customer.vision.state is not VisionState.RUNNING
        customer.touch("Back")
        customer.touch("Water")
        customer.touch("Pay €1.50")
        customer.takes_the_receipt()

    assert machine("97", walk) == ["cancelled", "sold"]


def test_a_vision_process_that_is_killed_costs_no_sale(machine: Machine) -> None:
    def walk(customer: Customer) -> None:
        customer.touch("With the camera")
        customer.until(lambda: customer.vision.state is VisionState.RUNNING)
        first = customer.vision.pid
        os.kill(first, signal.SIGKILL)
        customer.until(lambda: customer.vision.state is VisionState.RESTARTING)
        customer.touch("Water")
        customer.touch("Pay €1.50")
        customer.takes_the_receipt()
        customer.until(lambda: customer.vision.state is VisionState.RUNNING)
        assert customer.vision.pid != first

    assert machine(DEMO, walk) == ["sold"]
