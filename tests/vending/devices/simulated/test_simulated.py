"""The simulated devices show each of their misbehaviours."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.vending.devices.protocols import (
    Approved,
    Declined,
    Dispenser,
    Dropped,
    FaultChanged,
    IdConfirmed,
    IdRefused,
    IdVerifier,
    NotDropped,
    PaymentTerminal,
    Reversed,
    Settled,
)
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.id_reader import SimulatedIdReader
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal

TERMINAL: type[PaymentTerminal] = SimulatedTerminal
DISPENSER: type[Dispenser] = SimulatedDispenser
READER: type[IdVerifier] = SimulatedIdReader
GONE, BACK = FaultChanged("terminal", True), FaultChanged("terminal", False)


def asked(behaviour: Pay, **settings: object) -> SimulatedTerminal:
    terminal = SimulatedTerminal(**settings)  # type: ignore[arg-type]
    terminal.plan([behaviour])
    terminal.authorize("t", 100, "EUR")
    return terminal


@pytest.mark.parametrize(
    ("behaviour", "said", "held"),
    [
        (Pay.WAIT, [], 0),
        (Pay.APPROVE, [Approved("t", 100, "SIM000001")], 100),
        (Pay.APPROVE_TWICE, [Approved("t", 100, "SIM000001")] * 2, 100),
        (Pay.APPROVE_SILENTLY, [], 100),
        (Pay.APPROVE_TOO_MUCH, [Approved("t", 101, "SIM000001")], 101),
        (Pay.APPROVE_LATE, [], 0),
        (Pay.DECLINE, [Declined("t", "card")], 0),
        (Pay.CANCEL, [Declined("t", "cancelled")], 0),
        (Pay.TIME_OUT, [Declined("t", "timeout")], 0),
        (Pay.SILENCE, [], 0),
        (Pay.VANISH, [GONE], 100),
        (Pay.REVERSE_UNREQUESTED, [Reversed("t")], 0),
    ],
)
def test_each_behaviour_of_the_terminal(behaviour: Pay, said: list[object], held: int) -> None:
    terminal = asked(behaviour)
    assert terminal.poll(0) == said
    assert terminal.poll(0) == []
    assert terminal.accounts["t"].held == held


def test_every_behaviour_has_its_test() -> None:
    marks = test_each_behaviour_of_the_terminal.pytestmark, test_each_behaviour_of_the_dispenser.pytestmark
    tested = [{case[0] for case in mark[0].args[1]} for mark in marks]
    assert tested == [set(Pay), set(Vend)]


def test_a_reversal_gives_back_once_and_is_final() -> None:
    terminal = asked(Pay.APPROVE)
    terminal.reverse("t")
    terminal.reverse("t")
    terminal.reverse("never heard of")
    assert terminal.poll(0)[1:] == [Reversed("t"), Reversed("t"), Reversed("never heard of")]
    assert (terminal.accounts["t"].charged, terminal.accounts["t"].returned) == (100, 100)
    terminal.authorize("never heard of", 100, "EUR")
    terminal.authorize("t", 100, "EUR")
    assert terminal.poll(0) == []


def test_a_late_approval_comes_after_the_reversal() -> None:
    terminal = asked(Pay.APPROVE_LATE)
    terminal.reverse("t")
    assert terminal.poll(0) == [Reversed("t"), Approved("t", 100, "SIM000001")]
    terminal.connect()
    assert terminal.poll(0) == [Approved("t", 100)]
    terminal.reverse("t")
    terminal.connect()
    assert terminal.poll(0) == []
    assert terminal.accounts["t"].held == 0


def test_acknowledgements_get_lost() -> None:
    terminal = asked(Pay.APPROVE, unheard=2)
    terminal.settle("t")
    terminal.settle("t")
    terminal.settle("t")
    assert terminal.poll(0) == [Approved("t", 100, "SIM000001"), Settled("t")]


def test_a_terminal_by_hand() -> None:
    terminal = asked(Pay.WAIT)
    assert terminal.waiting == "t"
    terminal.approve()
    terminal.approve()
    assert terminal.poll(0) == [Approved("t", 100, "SIM000001")]
    terminal = asked(Pay.WAIT)
    terminal.decline("cancelled")
    assert terminal.poll(0) == [Declined("t", "cancelled")]
    terminal = asked(Pay.WAIT)
    terminal.silence()
    terminal.approve()
    assert terminal.poll(0) == []
    terminal = asked(Pay.WAIT)
    terminal.reverse("t")
    assert terminal.waiting is None


def test_a_disconnected_terminal_receives_nothing() -> None:
    terminal = SimulatedTerminal()
    terminal.vanish()
    terminal.authorize("t", 100, "EUR")
    terminal.reverse("t")
    terminal.settle("t")
    assert terminal.poll(0) == [GONE]
    terminal.come_back()
    assert terminal.poll(0) == [BACK]
    assert not terminal.accounts
    assert SimulatedTerminal(away=True).poll(0) == [GONE]


def test_a_terminal_takes_its_time() -> None:
    terminal = SimulatedTerminal(seconds=2.0)
    terminal.poll(10.0)
    terminal.authorize("t", 100, "EUR")
    assert terminal.poll(11.9) == []
    assert terminal.poll(12.0) == [Approved("t", 100, "SIM000001")]
    terminal.authorize("u", 100, "EUR")
    terminal.reverse("u")
    assert terminal.poll(99.0) == [Reversed("u")]


def test_a_terminal_remembers_over_a_power_cut(tmp_path: Path) -> None:
    truth = tmp_path / "terminal"
    terminal = asked(Pay.APPROVE, truth=truth)
    terminal.authorize("u", 50, "EUR")
    terminal.reverse("u")
    terminal.settle("t")
    again = SimulatedTerminal(truth)
    assert again.accounts == terminal.accounts
    assert again.poll(0) == []


def test_money_taken_against_its_word_is_told_after_a_power_cut(tmp_path: Path) -> None:
    terminal = asked(Pay.APPROVE_LATE, truth=tmp_path / "terminal")
    terminal.reverse("t")
    assert SimulatedTerminal(tmp_path / "terminal").poll(0) == [Approved("t", 100)]


def command_vend(behaviour: Vend) -> SimulatedDispenser:
    dispenser = SimulatedDispenser()
    dispenser.plan([behaviour])
    dispenser.dispense("v", "A1")
    return dispenser


@pytest.mark.parametrize(
    ("behaviour", "said", "fallen"),
    [
        (Vend.WAIT, [], 0),
        (Vend.DROP, [Dropped("v")], 1),
        (Vend.DROP_TWICE, [Dropped("v")] * 2, 1),
        (Vend.DROP_UNSEEN, [], 1),
        (Vend.DROP_AFTER_JAM, [NotDropped("v", "jam"), Dropped("v")], 1),
        (Vend.JAM, [NotDropped("v", "jam")], 0),
        (Vend.NOTHING, [NotDropped("v", "nothing")], 0),
        (Vend.SILENCE, [], 0),
        (Vend.VANISH, [FaultChanged("dispenser", True)], 1),
    ],
)
def test_each_behaviour_of_the_dispenser(behaviour: Vend, said: list[object], fallen: int) -> None:
    dispenser = command_vend(behaviour)
    assert dispenser.poll(0) == said
    assert dispenser.poll(0) == []
    assert (dispenser.dropped["v"], dispenser.fallen["A1"]) == (fallen, fallen)


def test_a_dispenser_by_hand() -> None:
    dispenser = command_vend(Vend.WAIT)
    assert dispenser.waiting == ("v", "A1")
    dispenser.drop()
    dispenser.drop()
    assert dispenser.poll(0) == [Dropped("v")]
    dispenser = command_vend(Vend.WAIT)
    dispenser.jam()
    dispenser.drop()
    assert dispenser.poll(0) == [NotDropped("v", "jam")]
    dispenser = command_vend(Vend.WAIT)
    dispenser.silence()
    dispenser.drop()
    assert dispenser.poll(0) == []


def test_a_dispenser_told_twice_drops_twice(tmp_path: Path) -> None:
    dispenser = SimulatedDispenser(tmp_path / "dispenser")
    dispenser.dispense("v", "A1")
    dispenser.dispense("v", "A1")
    assert dispenser.dropped["v"] == 2
    again = SimulatedDispenser(tmp_path / "dispenser")
    assert (again.dropped, again.fallen) == (dispenser.dropped, dispenser.fallen)


def test_a_dispenser_takes_its_time_and_may_be_away() -> None:
    dispenser = SimulatedDispenser(seconds=3.0)
    dispenser.dispense("v", "A1")
    assert dispenser.poll(2.9) == []
    assert dispenser.poll(3.0) == [Dropped("v")]
    dispenser.vanish()
    dispenser.dispense("w", "A1")
    dispenser.come_back()
    assert dispenser.poll(9.0) == [FaultChanged("dispenser", True), FaultChanged("dispenser", False)]


def test_an_id_reader_knows_a_birthday() -> None:
    reader = SimulatedIdReader()
    reader.present(40)
    assert reader.poll(0) == []
    reader.begin("s", 18)
    reader.present(17)
    reader.present(18)
    assert reader.poll(0) == [IdRefused("s", "reader"), IdConfirmed("s", "reader")]
    reader.end("another")
    assert reader.wanted == ("s", 18)
    reader.end("s")
    assert reader.wanted is None


def test_a_payment_that_waits_is_charged_once() -> None:
    terminal = SimulatedTerminal(default=Pay.WAIT)
    terminal.authorize("t", 180, "EUR")
    terminal._approve("t")
    terminal.approve()
    assert terminal.accounts["t"].held == 180
