"""In order and without loss: a stream of letters, a few in flight, and a mark up to which the broker has taken all.

A letter counts as taken when its PUBACK came, and everything before it has. What was in flight when a connection broke
is sent again in the next one, and nothing else is.

A broker answers a letter that no session subscribes to with *no matching subscribers* and forgets it. So a sale that is
answered like this is not taken: it is sent again after a while, alone, until somebody listens. So is what a broker
refuses, until its access list allows it: nothing after it in its stream is sent before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from kiosk.fleet import messages
from kiosk.fleet.outbox import Outbox
from kiosk.vending.journal import find_sale_opening, read_after

WINDOW = 8
"""Letters in flight of a stream, if the broker takes as many."""

FLIGHT = 1 << 13
"""Bytes of them, if they are more than one: on the slowest line, a ping behind them is answered in time."""

ANSWER_WITHIN_S = 120.0
"""After which a broker that answers nothing to what is in flight counts as gone."""

HELD_S = 30.0
"""Seconds until what was refused, or a sale that nobody listens to, is sent again."""

LOOK_EVERY_S = 1.0
"""How often a stream that had nothing new is looked at."""

_READ = 64  # letters at once, of which many of the journal's are only steps
_UNSENT = 0  # in place of a packet's number, which begins at 1

NO_SUBSCRIBERS = 0x10
REFUSED_FROM = 0x80
"""Reason codes of MQTT 5, 2.4."""


@dataclass(frozen=True)
class Message:
    """One message of a stream; without a topic it is nothing but a step ahead."""

    seq: int
    topic: str = ""
    payload: bytes = b""


class Stream(Protocol):
    """Where letters come from, numbered upward."""

    def mark(self) -> int:
        """The last letter that the broker has taken."""

    def after(self, seq: int, limit: int) -> Iterator[Message]:
        """The first letters after one."""

    def taken(self, seq: int) -> None:
        """The broker has all letters up to this one."""


class JournalStream:
    """What the journal has for the fleet. It may be in use; it is only read. Raises `JournalError`."""

    def __init__(self, path: Path, outbox: Outbox, machine: str) -> None:
        self._path = path
        self._outbox = outbox
        self._machine = machine
        self._id = read_after(path, 0, 0)[0]

    def mark(self) -> int:
        return self._outbox.cursor(self._id)

    def after(self, seq: int, limit: int) -> Iterator[Message]:
        for entry in read_after(self._path, seq, limit)[1]:
            told = messages.of_entry(entry, partial(find_sale_opening, self._path, before=entry.seq))
            if told is None:
                yield Message(entry.seq)
            else:
                topic, data = told
                text = messages.payload(self._machine, self._id, entry.seq, entry.utc, data)
                yield Message(entry.seq, topic, text)

    def taken(self, seq: int) -> None:
        self._outbox.move_cursor(self._id, seq)


class OutboxStream:
    """What waits in the outbox."""

    def __init__(self, outbox: Outbox, machine: str) -> None:
        self._outbox = outbox
        self._machine = machine

    def mark(self) -> int:
        return 0  # what the broker has taken is no longer there

    def after(self, seq: int, limit: int) -> Iterator[Message]:
        stream = f"outbox-{self._outbox.id}"
        for row in self._outbox.after(seq, limit):
            yield Message(row.seq, row.topic, messages.payload(self._machine, stream, row.seq, row.utc, row.data))

    def taken(self, seq: int) -> None:
        self._outbox.delivered(seq)


class Delivery:
    """A stream on its way out through one connection.

    `publish` sends a letter and gives the packet's number, or None for one that cannot go; `free` says how many more
    the broker allows now.
    """

    def __init__(
        self, stream: Stream, publish: Callable[[Message], int | None], free: Callable[[], int] = lambda: WINDOW
    ) -> None:
        self._stream = stream
        self._publish = publish
        self._free = free
        self._window = 1  # until the first was taken: if nobody listens, that one alone is sent in vain
        self._held_until = self._look_at = self._waits_since = 0.0
        self._in_flight: deque[tuple[Message, int]] = deque()
        self._answered: set[int] = set()
        self._sent = self._taken = stream.mark()

    def send(self, now: float) -> None:
        """Sends what there is room for."""
        sent = [len(letter.payload) for letter, packet in self._in_flight if packet != _UNSENT]
        most = min(self._window, len(sent) + self._free())
        if len(sent) >= most or now < max(self._held_until, self._look_at):
            return
        self._look_at = now + LOOK_EVERY_S
        for letter in self._stream.after(self._sent, _READ):
            self._look_at = 0.0
            if letter.topic:
                if len(sent) == most or (sent and sum(sent) + len(letter.payload) > FLIGHT):
                    break
                packet = self._publish(letter)
                if packet is None:
                    self._held_until = now + HELD_S
                    break
                if not sent:
                    self._waits_since = now
                sent.append(len(letter.payload))
                self._in_flight.append((letter, packet))
            else:
                self._in_flight.append((letter, _UNSENT))
            self._sent = letter.seq
        self._settle()

    def answered(self, packet: int, code: int, now: float) -> str | None:
        """A PUBACK came, perhaps another stream's. Returns why the letter is not taken, if so."""
        letter = next((each for each, number in self._in_flight if number == packet), None)
        if letter is None:
            return None
        self._waits_since = now
        if code >= REFUSED_FROM:
            self._hold(now)
            return f"the broker refuses {letter.topic} with code {code}: look at its access list"
        if code == NO_SUBSCRIBERS and letter.topic == messages.SALE:
            self._hold(now)
            return "sales wait until somebody subscribes to them at the broker"
        self._answered.add(packet)
        self._window, self._held_until = WINDOW, 0.0
        self._settle()
        return None

    def overdue(self, now: float) -> bool:
        """Whether the broker has been silent for too long."""
        return bool(self._in_flight) and now - self._waits_since > ANSWER_WITHIN_S

    def _hold(self, now: float) -> None:
        """Back to the mark, and on from there after a while."""
        self._in_flight.clear()
        self._answered.clear()
        self._sent, self._window, self._held_until = self._taken, 1, now + HELD_S

    def _settle(self) -> None:
        """Moves the mark over everything that was answered without a gap."""
        before = self._taken
        while self._in_flight and self._in_flight[0][1] in self._answered | {_UNSENT}:
            letter, packet = self._in_flight.popleft()
            self._answered.discard(packet)
            self._taken = letter.seq
        if self._taken != before:
            self._stream.taken(self._taken)
