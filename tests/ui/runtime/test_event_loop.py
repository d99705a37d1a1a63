"""The end of the program: a signal in the middle of a sale does not throw it into doubt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from kiosk.app.shutdown import ACKNOWLEDGE_WITHIN, ShutdownGuard
from kiosk.ui.runtime.event_loop import WindowError, application, show_until_closed
from kiosk.ui.service.pages.machine import MachinePage
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Payment
from kiosk.vending.sale.events import Choose, Continue, PaymentTest, Start, VendTest
from kiosk.vending.sale.state import Phase
from tests.fakes.service_rig import ServiceRig


@pytest.fixture
def rig(qtbot: QtBot, tmp_path: Path) -> Iterator[ServiceRig]:  # noqa: ARG001
    rig = ServiceRig(tmp_path)
    yield rig
    rig.journal.close()


def buy(rig: ServiceRig) -> None:
    for touch in (Start(False), Choose("A1"), Continue()):
        rig.shop.touch(touch)
    rig.tick()


def later(milliseconds: int, number: int = signal.SIGTERM) -> None:
    QTimer.singleShot(milliseconds, lambda: os.kill(os.getpid(), number))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


# When it may end


def test_a_machine_without_a_customer_may_end_at_once(rig: ServiceRig) -> None:
    assert ShutdownGuard(rig.shop)()
    rig.shop.touch(Start(False))
    assert rig.shop.snapshot.phase is Phase.OUT_OF_ORDER


def test_goods_on_their_way_are_waited_for(rig: ServiceRig) -> None:
    rig.dispenser.plan([Vend.WAIT])
    buy(rig)
    assert rig.shop.snapshot.phase is Phase.DISPENSING
    may_end = ShutdownGuard(rig.shop)
    assert not may_end()
    rig.tick()
    assert not may_end()
    rig.dispenser.drop()
    rig.tick()
    assert may_end()
    assert not rig.shop.state.ledger.doubts
    assert rig.shop.snapshot.reason == "sold"


def test_they_are_waited_for_no_longer_than_their_time_out(rig: ServiceRig) -> None:
    rig.dispenser.plan([Vend.WAIT])
    buy(rig)
    clock = Clock()
    may_end = ShutdownGuard(rig.shop, clock)
    assert not may_end()
    clock.now = 45 + ACKNOWLEDGE_WITHIN - 1
    assert not may_end()
    clock.now = 45 + ACKNOWLEDGE_WITHIN
    assert may_end()


def test_a_payment_is_cancelled_and_reversed(rig: ServiceRig) -> None:
    rig.terminal.plan([Payment.WAIT])
    buy(rig)
    assert rig.shop.snapshot.phase is Phase.PAYING
    may_end = ShutdownGuard(rig.shop)
    assert not may_end()
    rig.tick()
    assert may_end()
    assert not rig.shop.state.ledger.transactions


def test_a_terminal_that_owes_an_answer_is_waited_for_briefly(rig: ServiceRig) -> None:
    rig.terminal.plan([Payment.WAIT])
    buy(rig)
    rig.terminal.vanish()
    clock = Clock()
    may_end = ShutdownGuard(rig.shop, clock)
    assert not may_end()
    clock.now = ACKNOWLEDGE_WITHIN
    assert may_end()


@pytest.mark.parametrize("test", [VendTest("A1"), PaymentTest(100, "EUR")])
def test_a_running_test_is_waited_for_and_closes_the_way_out(rig: ServiceRig, test: VendTest | PaymentTest) -> None:
    rig.dispenser.plan([Vend.WAIT])
    rig.terminal.plan([Payment.WAIT])
    rig.enter()
    page = rig.open(MachinePage)
    assert isinstance(page, MachinePage)
    rig.shop.operate(test)
    rig.tick()
    assert not page.exit.isEnabled()
    assert not ShutdownGuard(rig.shop)()
    rig.dispenser.drop() if isinstance(test, VendTest) else rig.terminal.decline()
    rig.tick()
    assert page.exit.isEnabled()
    assert ShutdownGuard(rig.shop)()


# The loop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_waits_for_the_goods(rig: ServiceRig, number: int) -> None:
    rig.dispenser.plan([Vend.WAIT])
    buy(rig)
    rig.window.timer.start()
    later(100, number)
    seen = []

    def drop() -> None:
        seen.append(rig.window.isVisible())
        rig.dispenser.drop()

    QTimer.singleShot(400, drop)
    show_until_closed(application(), rig.window, None, ShutdownGuard(rig.shop))
    assert seen == [True]
    assert rig.shop.snapshot.reason == "sold"


def test_so_does_the_end_of_its_time(rig: ServiceRig) -> None:
    rig.dispenser.plan([Vend.WAIT])
    buy(rig)
    rig.window.timer.start()
    QTimer.singleShot(400, rig.dispenser.drop)
    show_until_closed(application(), rig.window, 0.1, ShutdownGuard(rig.shop))
    assert rig.shop.snapshot.reason == "sold"


def test_a_second_signal_does_not_wait(rig: ServiceRig) -> None:
    rig.dispenser.plan([Vend.WAIT])
    buy(rig)
    rig.window.timer.start()
    later(100)
    later(300)
    show_until_closed(application(), rig.window, None, ShutdownGuard(rig.shop))
    assert rig.shop.snapshot.phase is Phase.DISPENSING


def test_an_error_in_a_slot_ends_it_in_order(rig: ServiceRig) -> None:
    def fail() -> None:
        raise ValueError("no such thing")

    QTimer.singleShot(100, fail)
    with pytest.raises(WindowError, match="no such thing"):
        show_until_closed(application(), rig.window, 5)


RUN = """
import logging, sys
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication, QWidget
from kiosk.ui.runtime.event_loop import WindowError, end_on_slot_error

logging.basicConfig(format="%(message)s")
app = QApplication([])
app.setQuitOnLastWindowClosed(True)
window = QWidget()
window.show()
timer = QTimer()

def fail():
    raise ValueError("a bad\\nday")

def leave():
    LEAVE

timer.timeout.connect(fail)
timer.start(1)
QTimer.singleShot(20000, app.quit)
try:
    with end_on_slot_error(leave):
        app.exec()
except WindowError as error:
    assert isinstance(error.__cause__, ValueError)
    assert not str(error).count("\\n")
    print("in order")
    sys.exit(1)
"""


def run(leave: str) -> subprocess.CompletedProcess[str]:
    code = RUN.replace("LEAVE", leave)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_the_first_error_closes_the_window() -> None:
    done = run("window.close()")
    assert (done.returncode, done.stdout) == (1, "in order\n")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("the window failed: ValueError: a bad day (")


def test_a_window_that_cannot_close_ends_too() -> None:
    done = run("raise RuntimeError('stuck')")
    assert (done.returncode, done.stdout) == (1, "in order\n")
    assert "and could not be closed: RuntimeError: stuck" in done.stderr


def test_nothing_is_left_of_it() -> None:
    from kiosk.ui.runtime.event_loop import end_on_slot_error

    before = sys.excepthook
    with end_on_slot_error(lambda: None):
        assert sys.excepthook is not before
    assert sys.excepthook is before
    with pytest.raises(KeyError), end_on_slot_error(lambda: None):
        raise KeyError
    assert sys.excepthook is before
