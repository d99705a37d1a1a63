"""The driver of a dispenser board, on a line that the test controls."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.vending.devices.board.dispenser import SerialDispenser
from kiosk.vending.devices.board.protocol import Board as BoardSays
from kiosk.vending.devices.board.protocol import VendReport, frame, is_word, parse_line, unframe
from kiosk.vending.devices.protocols import DispenserMessage, Dropped, FaultChanged, NotDropped
from tests.fakes.board import Board
from tests.fakes.wire import Fate, Wire


class Bench:
    """The driver, its line and the emulated board."""

    def __init__(self, motors: dict[str, str] | None = None) -> None:
        self.now = 0.0
        self.board = Board()
        self.wire = Wire(self.board)
        self.motors = motors
        self.start()

    def start(self) -> None:
        self.wire.reopen()
        self.dispenser = SerialDispenser(self.wire, self.motors)

    def run(self, seconds: float = 3.0) -> list[DispenserMessage]:
        said: list[DispenserMessage] = []
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self.board.uptime += 100
            said += self.dispenser.poll(self.now)
        return said

    def turn(self, vend: str = "v-1", slot: str = "A1") -> None:
        self.run()
        self.dispenser.dispense(vend, slot)
        self.run(1)
        assert self.board.turning == vend


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_checksum_is_the_standards() -> None:
    assert frame("123456789") == "123456789*29B1"
    assert frame("HELLO") == "HELLO*49D6"
    assert unframe("123456789*29B1") == "123456789"


@pytest.mark.proves("device-noise")
def test_every_damage_to_one_character_is_noticed() -> None:
    line = frame("STATE cafe0000-12 DROPPED b1 1200")
    for at in range(len(line)):
        assert unframe(line[:at]) is None
        assert unframe(line[:at] + line[at + 1 :]) is None
        assert unframe(f"{line[:at]}~{line[at + 1 :]}") is None
    assert unframe(line + line) is None


def test_the_boards_lines_are_understood() -> None:
    assert parse_line(frame("BOARD 1 b7 1200 OK six-spirals")) == BoardSays(1, "b7", 1200, "OK", "six-spirals")
    assert parse_line(frame("STATE cafe-1 JAM b7 1200")) == VendReport("cafe-1", "JAM", "b7", 1200)
    assert parse_line(frame("STATE cafe-1 EXPLODED b7 1200")) is None
    assert parse_line("STATE cafe-1 DROPPED b7 1200") is None
    assert is_word("cafe0000-12")
    assert not is_word("a b")


def test_it_says_that_it_is_away_before_it_is_there(bench: Bench) -> None:
    assert bench.run(0.1) == [FaultChanged("dispenser", True)]
    assert bench.run() == [FaultChanged("dispenser", False)]


@pytest.mark.parametrize(
    ("end", "message"),
    [("drop", Dropped("v-1")), ("jam", NotDropped("v-1", "jam")), ("miss", NotDropped("v-1", "nothing"))],
)
def test_a_vend_ends_as_the_sensor_saw_it(bench: Bench, end: str, message: DispenserMessage) -> None:
    bench.turn()
    getattr(bench.board, end)()
    assert bench.run() == [message]
    assert sum("VEND" in line for line in bench.wire.sent) == 1


def test_a_slot_has_the_motor_that_the_settings_name() -> None:
    bench = Bench({"A1": "B2"})
    bench.run()
    bench.dispenser.dispense("v-1", "A1")
    bench.run()
    assert any(unframe(line or "").startswith("VEND v-1 B2 ") for line in bench.wire.sent)  # type: ignore[union-attr]


def test_a_slot_without_a_motor_is_refused(bench: Bench) -> None:
    bench.run()
    bench.dispenser.dispense("v-1", "Z9")
    assert bench.run() == [NotDropped("v-1", "refused")]
    bench.dispenser.dispense("v-2", "no word")
    assert bench.run() == [NotDropped("v-2", "refused")]


@pytest.mark.parametrize("fate", ["lost", "doubled", "cut", "glued"])
@pytest.mark.parametrize("skipped", range(6))
def test_a_line_that_goes_wrong_turns_no_motor_twice(bench: Bench, fate: Fate, skipped: int) -> None:
    bench.run()
    bench.board.default = "drop"
    bench.dispenser.dispense("v-1", "A1")
    bench.wire.fates.extend([*["whole"] * skipped, fate, fate])  # type: ignore[list-item]
    said = [message for message in bench.run(15) if not isinstance(message, FaultChanged)]
    if bench.board.turned:
        assert said.count(Dropped("v-1")) >= 1
        assert bench.board.turned == {"v-1": 1}
    else:
        assert said == [NotDropped("v-1", "refused")]


def test_a_vend_that_was_lost_is_not_sent_again(bench: Bench) -> None:
    bench.run()
    bench.dispenser.dispense("v-1", "A1")
    while not any("VEND" in line for line in bench.wire.sent):
        bench.run(0.1)
    bench.wire.fates.append("lost")
    assert bench.run(5) == []  # until its time is over it may be on its way
    assert bench.run(2) == [NotDropped("v-1", "refused")]
    assert not bench.board.turned
    assert sum("VEND" in line for line in bench.wire.sent) == 1


def test_a_vend_that_comes_too_late_turns_nothing(bench: Bench) -> None:
    bench.run()
    bench.dispenser.dispense("v-1", "A1")
    while not any("VEND" in line for line in bench.wire.sent):
        bench.run(0.1)
    bench.wire.held = True
    bench.run(8)
    bench.wire.held = False
    assert NotDropped("v-1", "refused") in bench.run()
    assert not bench.board.turned


def test_a_vend_that_never_left_is_given_up(bench: Bench) -> None:
    bench.run()
    bench.board.mute = True
    bench.dispenser.dispense("v-1", "A1")
    assert NotDropped("v-1", "refused") in bench.run(6)
    bench.board.mute = False
    bench.run()
    assert not any("VEND" in line for line in bench.wire.sent)


def test_what_fell_while_it_was_unplugged_is_found_out(bench: Bench) -> None:
    bench.turn()
    bench.wire.unplug()
    assert bench.run() == [FaultChanged("dispenser", True)]
    bench.board.drop()
    bench.wire.plug()
    assert set(bench.run()) == {Dropped("v-1"), FaultChanged("dispenser", False)}


def test_a_board_that_lost_its_power_under_way_does_not_pretend_to_know(bench: Bench) -> None:
    bench.turn()
    bench.board.lose_power()
    assert bench.run(10) == []
    bench.turn("v-2")  # and goes on with the next
    bench.board.drop()
    assert bench.run() == [Dropped("v-2")]


def test_a_board_that_restarted_before_a_vend_arrived_never_turned(bench: Bench) -> None:
    bench.run()
    bench.dispenser.dispense("v-1", "A1")
    while not any("VEND" in line for line in bench.wire.sent):
        bench.run(0.1)
    bench.board.lose_power()
    assert NotDropped("v-1", "refused") in bench.run()
    assert not bench.board.turned


def test_a_board_whose_clock_restarts_has_another_boot_and_loses_nothing(bench: Bench) -> None:
    bench.turn()
    bench.board.boots, bench.board.uptime = 2, 0  # as docs/dispenser-protocol.md has it; its power stays
    bench.run()
    bench.board.drop()
    assert bench.run() == [Dropped("v-1")]
    bench.dispenser.dispense("v-2", "A1")
    while not any("VEND v-2" in line for line in bench.wire.sent):
        bench.run(0.1)
    bench.board.boots, bench.board.uptime = 3, 0
    assert bench.run() == [NotDropped("v-2", "refused")]
    assert bench.board.turned == {"v-1": 1}


def test_a_restarted_kiosk_learns_the_end_of_the_last_vend(bench: Bench) -> None:
    bench.turn()
    bench.start()
    bench.run(2)
    bench.board.drop()
    assert Dropped("v-1") in bench.run()


def test_a_board_that_cannot_dispense_is_a_fault(bench: Bench) -> None:
    bench.run()
    bench.board.health = "SENSOR"
    assert bench.run() == [FaultChanged("dispenser", True)]
    bench.board.health = "OK"
    assert bench.run() == [FaultChanged("dispenser", False)]


def test_a_silent_board_is_a_fault(bench: Bench) -> None:
    bench.run()
    bench.board.mute = True
    assert bench.run(9) == [FaultChanged("dispenser", True)]


def test_a_board_of_another_protocol_is_a_fault(bench: Bench) -> None:
    bench.board.mute = True
    bench.run(1)
    bench.board.said.append(frame("BOARD 2 b1 1 OK new"))
    assert bench.run() == []
    bench.dispenser.dispense("v-1", "A1")
    assert bench.run(7) == [NotDropped("v-1", "refused")]


def test_the_documents_examples_have_right_checksums() -> None:
    page = (Path(__file__).parents[4] / "docs" / "dispenser-protocol.md").read_text(encoding="utf-8")
    lines = [line for line in page.split("## Example")[1].splitlines() if "*" in line]
    assert len(lines) == 7
    assert all(unframe(line) for line in lines)
