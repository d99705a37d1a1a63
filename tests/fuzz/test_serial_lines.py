"""Damaged lines of devices raise no exception, use bounded memory, and never count as a drop or a payment."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from kiosk.vending.devices.board.dispenser import MOST_PENDING, SerialDispenser
from kiosk.vending.devices.board.protocol import VendReport, frame, parse_line, unframe
from kiosk.vending.devices.mdb import protocol
from kiosk.vending.devices.mdb.payment_store import PaymentStore
from kiosk.vending.devices.mdb.protocol import Status
from kiosk.vending.devices.mdb.terminal import MdbTerminal
from kiosk.vending.devices.protocols import Approved, DispenserMessage, Dropped, PaymentMessage, Settled
from kiosk.vending.devices.serial_line import LONGEST_LINE, LineDown, LineSplitter, LineUp, LinkEvent
from tests.fuzz.mutations import NASTY, mutations

BOARD = "BOARD 1 b1 1200 OK some-board"
DISPENSER = tuple(
    map(
        frame,
        (
            BOARD,
            "STATE v-1 UNKNOWN b1 1300",
            "STATE v-1 TURNING b1 1400",
            "STATE v-0 DROPPED b0 99",
            "STATE v-2 JAM b1 1500",
            "STATE v-3 NOTHING b1 1500",
            "STATE v-4 REFUSED b1 1600",
            "STATE v-5 UNSURE b2 10",
            "STATE v-6 TURNING b1 1700",
        ),
    )
)
READER = "#,2,1978,1,2,5,9,2"
MDB = (
    f"d,STATUS,INIT,1,{READER}",
    f"d,STATUS,IDLE,{READER}",
    "d,STATUS,VEND",
    f"d,STATUS,VEND,{READER}",
    f"d,STATUS,RESULT,1,1.80,{READER}",
    "d,STATUS,RESULT,-1",
    f"d,STATUS,CREDIT,5.00,{READER}",
    'd,ERR,"-1"',
    'd,ERR,"cashless master is off"',
    "d,STATUS,OFF",
    "d,STATUS,RESET",
    "v,4.0.6.0,00000000",
)


class Line:
    """A serial `Link` whose other end is the test."""

    def __init__(self) -> None:
        self.coming: deque[LinkEvent] = deque([LineUp()])
        self.sent: list[str] = []

    def send(self, line: str) -> None:
        self.sent.append(line)

    def poll(self) -> Sequence[LinkEvent]:
        heard = list(self.coming)
        self.coming.clear()
        return heard

    def close(self) -> None:
        """Does nothing."""


def replace_words(sample: bytes, random: Random, between: str) -> list[str]:
    """Returns lines in which a few words are swapped, replaced or missing."""
    lines = sample.decode().split("\n")
    words = [word for line in lines for word in line.split(between)]
    nasty = [each.decode("ascii", "replace") for each in NASTY if len(each) < 100]
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(lines))
        parts = lines[at].split(between)
        parts[random.randrange(len(parts))] = random.choice((*words, *nasty, "1" * 30, "-1", "1.5"))
        lines[at] = between.join(parts)
        if random.random() < 0.3:
            lines.insert(random.randrange(len(lines) + 1), random.choice(lines))
    return lines


def damage_words(sample: bytes, random: Random) -> bytes:
    """Damages lines of the MDB interface, which have no checksum."""
    return "\n".join(replace_words(sample, random, ",")).encode()


def damage_bodies(sample: bytes, random: Random) -> bytes:
    """Damages lines of a dispenser board and gives them correct checksums."""
    bodies = "\n".join(unframe(line) or "" for line in sample.decode().split("\n"))
    lines = replace_words(bodies.encode(), random, " ")
    return "\n".join(frame(line) for line in lines if line.isascii()).encode() + b"\n"


def lines_of(data: bytes) -> list[str]:
    return LineSplitter().feed(data)


def test_bytes_become_lines_of_a_bounded_length_however_they_are_cut() -> None:
    random = Random(1)
    for damaged in mutations("\r\n".join(DISPENSER + MDB).encode() + b"\n"):
        splitter = LineSplitter()
        rest, cut = damaged, list[str]()
        while rest:
            length = random.choice((1, 7, 64, 4096))
            cut += splitter.feed(rest[:length])
            rest = rest[length:]
            assert len(splitter._rest) <= LONGEST_LINE
        assert cut == lines_of(damaged)
        assert all(line.isascii() and 0 < len(line) <= LONGEST_LINE for line in cut)


@pytest.mark.proves("device-noise")
def test_no_damaged_line_of_a_board_counts_as_a_drop() -> None:
    whole = "\n".join(DISPENSER).encode() + b"\n"
    for number, damaged in enumerate(mutations(whole, within=damage_bodies)):
        line = Line()
        dispenser = SerialDispenser(line)
        line.coming.append(frame(BOARD))
        said = list[DispenserMessage](dispenser.poll(1.0))
        dispenser.dispense("v-1", "A1")
        line.coming.append(frame(BOARD))
        said += dispenser.poll(1.1)
        assert any(sent.startswith("VEND v-1 ") for sent in line.sent), number
        for now, heard in enumerate(lines_of(damaged), 2):
            line.coming.append(heard if now % 7 else LineUp())
            said += dispenser.poll(float(now))
        line.coming.append(LineDown())
        said += dispenser.poll(1e9)
        assert Dropped("v-1") not in said or DROP in map(vend_report, lines_of(damaged)), number
        assert len(dispenser._vends) <= MOST_PENDING


DROP = ("v-1", "DROPPED")
"""The report of a drop, which here only a board that lies can send."""


def vend_report(line: str) -> tuple[str, str] | None:
    report = parse_line(line)
    return (report.vend, report.state) if isinstance(report, VendReport) else None


@pytest.mark.proves("device-floods")
def test_a_board_that_reports_unknown_vends_takes_no_memory() -> None:
    line = Line()
    dispenser = SerialDispenser(line)
    line.coming.append(frame(BOARD))
    for number in range(1000):
        line.coming.append(frame(f"STATE x-{number} TURNING b1 1500"))
    dispenser.poll(1.0)
    assert len(dispenser._vends) == MOST_PENDING
    dispenser.dispense("v-1", "A1")
    line.coming.append(frame(BOARD))
    dispenser.poll(2.0)
    assert len(dispenser._vends) == MOST_PENDING
    assert any(sent.startswith("VEND v-1 ") for sent in line.sent)


@pytest.mark.proves("device-noise")
@pytest.mark.parametrize("end", ["settle", "reverse"])
def test_damaged_lines_never_become_a_payment(tmp_path: Path, end: str) -> None:
    memory = tmp_path / "mdb.json"
    for number, damaged in enumerate(mutations("\n".join(MDB).encode() + b"\n", within=damage_words)):
        memory.unlink(missing_ok=True)
        line = Line()
        terminal = MdbTerminal(line, PaymentStore(memory))
        said = list[PaymentMessage]()
        heard = lines_of(damaged)
        for now, each in enumerate(heard):
            if now == 1:
                terminal.authorize("t1", 180, "EUR")
            if now == len(heard) - 2:
                getattr(terminal, end)("t1")
            line.coming.append(each)
            said += terminal.poll(float(now))
        said += terminal.poll(1e9)
        statuses = map(protocol.parse_line, heard)
        results = [status for status in statuses if isinstance(status, Status) and status.approved is not None]
        assert len([each for each in said if isinstance(each, Approved)]) <= min(len(results), 1), number
        assert Settled("t1") not in said or "D,END" in line.sent, number
        assert PaymentStore(memory).is_readable


@pytest.mark.proves("device-floods")
@pytest.mark.parametrize(
    "reader",
    ["#,2,1978,1,999999999999999999999999999999999999999999,5,9,2", "#,2,1978,1,99999,5,9,2", "#,2,1978,1,255,5,9,2"],
)
def test_a_reader_with_an_absurd_price_scale_gets_no_request(tmp_path: Path, reader: str) -> None:
    line = Line()
    terminal = MdbTerminal(line, PaymentStore(tmp_path / "mdb.json"))
    terminal.authorize("t1", 180, "EUR")
    for now in range(4):
        line.coming.append(f"d,STATUS,IDLE,{reader}")
        terminal.poll(float(now))
    assert not any(sent.startswith("D,REQ") for sent in line.sent)
