"""The outbox by itself: what goes first where it is full, and what two streams' marks do."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.fleet.delivery import NO_SUBSCRIBERS, WINDOW, Delivery, Message
from kiosk.fleet.outbox import Outbox
from kiosk.vending.journal import Journal, JournalError, find_sale_opening, read_after
from kiosk.vending.journal.facts import MachineStarted, SaleOpened


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox(tmp_path / "fleet.db", 5)
    yield outbox
    outbox.close()


def topics_by_number(outbox: Outbox) -> list[tuple[int, str]]:
    return [(row.seq, row.topic) for row in outbox.messages_after(0, 99)]


def test_the_least_important_message_is_dropped_first_and_of_these_the_oldest(outbox: Outbox) -> None:
    for topic, weight in (("error", 2), ("health", 0), ("health", 0), ("audience", 1), ("error", 2)):
        outbox.put("", topic, weight, {})
    outbox.put("", "error", 2, {})
    assert topics_by_number(outbox) == [(1, "error"), (3, "health"), (4, "audience"), (5, "error"), (6, "error")]
    for _ in range(4):
        outbox.put("", "error", 2, {})
    assert [seq for seq, _ in topics_by_number(outbox)] == [6, 7, 8, 9, 10]
    outbox.put("", "health", 0, {})  # worth less than all that is there
    assert [seq for seq, _ in topics_by_number(outbox)] == [6, 7, 8, 9, 10]
    assert outbox.dropped == 6


def test_numbers_are_never_used_again(tmp_path: Path, outbox: Outbox) -> None:
    outbox.put("", "health", 0, {})
    outbox.remove_delivered(1)
    outbox.close()
    again = Outbox(tmp_path / "fleet.db", 5)
    again.put("", "health", 0, {})
    assert topics_by_number(again) == [(2, "health")]
    assert again.id == outbox.id
    again.close()


@pytest.mark.parametrize("number", [-2, 1 << 20])
def test_a_schema_that_no_kiosk_will_have_is_damage(tmp_path: Path, outbox: Outbox, number: int) -> None:
    outbox._database.execute(f"PRAGMA user_version = {number}")
    outbox.close()
    again = Outbox(tmp_path / "fleet.db", 5)
    assert again.was_replaced
    assert (tmp_path / "fleet.db.damaged").exists()
    again.close()


def test_a_header_that_forbids_to_write_is_damage(tmp_path: Path, outbox: Outbox) -> None:
    outbox.close()
    path = tmp_path / "fleet.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:18] + b"\x07" + whole[19:])
    again = Outbox(path, 5)
    assert again.was_replaced
    again.put("", "health", 0, {})
    again.close()


def test_only_the_owner_can_read_the_outbox(tmp_path: Path, outbox: Outbox) -> None:
    assert outbox.waiting == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


class Numbers:
    """A stream of sales in which every other row gives no message."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.marks: list[int] = []

    def mark(self) -> int:
        return 0

    def after(self, seq: int, limit: int) -> Iterator[Message]:
        for number in range(seq + 1, min(seq + limit, self.last) + 1):
            yield Message(number, "sale" if number % 2 else "")

    def mark_delivered(self, seq: int) -> None:
        self.marks.append(seq)


def delivery(last: int) -> tuple[Delivery, Numbers, list[int]]:
    stream, sent = Numbers(last), list[int]()

    def publish(message: Message) -> int:
        sent.append(message.seq)
        return len(sent)

    return Delivery(stream, publish), stream, sent


def test_the_mark_waits_for_a_gap() -> None:
    out, stream, sent = delivery(7)
    out.send(0)
    assert sent == [1]
    out.acknowledge(1, 0, 0)
    out.send(0)
    assert sent == [1, 3, 5, 7]
    out.acknowledge(3, 0, 0)
    assert stream.marks[-1] == 2
    out.acknowledge(2, 0, 0)
    assert stream.marks[-1] == 6
    out.acknowledge(99, 0, 0)  # another stream's
    out.acknowledge(4, 0, 0)
    assert stream.marks[-1] == 7


def test_no_more_than_a_window_is_in_flight() -> None:
    out, _, sent = delivery(1000)
    out.send(0)
    out.acknowledge(1, 0, 0)
    for now in range(5):
        out.send(now)
    assert len(sent) == 1 + WINDOW


def test_a_message_without_subscribers_is_sent_again_alone() -> None:
    out, stream, sent = delivery(9)
    out.send(0)
    out.acknowledge(1, 0, 0)
    out.send(0)
    assert sent == [1, 3, 5, 7, 9]
    out.acknowledge(2, NO_SUBSCRIBERS, 0)
    out.acknowledge(3, 0, 0)  # too late to count: the one before it is not there
    out.send(29)
    assert sent[5:] == []
    assert stream.marks[-1] == 2
    out.send(31)
    assert sent[5:] == [3]
    out.acknowledge(6, 0, 31)
    out.send(31)
    assert sent[6:] == [5, 7, 9]


def test_a_refused_message_is_sent_again_alone_before_any_later_one() -> None:
    out, stream, sent = delivery(9)
    out.send(0)
    assert "refuses sale with code 135" in str(out.acknowledge(1, 135, 0))
    out.send(29)
    assert (sent, stream.marks) == ([1], [])
    out.send(31)
    out.acknowledge(2, 0, 31)
    out.send(31)
    assert sent == [1, 1, 3, 5, 7, 9]


def test_no_more_is_in_flight_than_the_broker_takes() -> None:
    stream, sent = Numbers(99), list[Message]()
    free = [1]
    out = Delivery(stream, lambda message: sent.append(message) or len(sent), lambda: free[0])  # type: ignore[func-returns-value]
    out.send(0)
    free[0] = 0
    out.send(2)
    assert len(sent) == 1
    out.acknowledge(1, 0, 2)
    free[0] = 2
    out.send(2)
    assert len(sent) == 3


def test_the_journal_is_read_from_a_row_on_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with pytest.raises(JournalError, match="there is no journal"):
        read_after(path, 0, 1)
    journal = Journal(path)
    facts = [MachineStarted("1"), SaleOpened("x-1", "A1", "Water", 180, "EUR", 0), MachineStarted("2")]
    for fact in facts:
        journal.append(fact)
    id_, entries = read_after(path, 1, 1)
    assert (id_, [entry.fact for entry in entries]) == (journal.id, facts[1:2])
    assert [entry.seq for entry in read_after(path, 1, 99)[1]] == [2, 3]
    assert find_sale_opening(path, "x-1", 3) == facts[1]
    assert find_sale_opening(path, "x-1", 2) is None
    assert find_sale_opening(path, "x", 3) is None
    journal.close()
