"""Delivers streams of messages in order and without loss, with a few messages in flight.

A message is delivered when its PUBACK and those of all messages before it have come. After a lost connection, the
messages that were in flight are sent again, and no others.

A broker acknowledges a message without subscribers with *no matching subscribers* and forgets it. Such a sale does not
count as delivered: it is sent again after a while, alone, until somebody subscribes. The same holds for a message that
the broker refuses, until its access list allows it. Nothing after it in its stream is sent before.
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
"""The most messages of a stream in flight, if the broker accepts as many."""

FLIGHT = 1 << 13
"""The most bytes in flight, if more than one message is: on the slowest line a ping after them is answered in time."""

ANSWER_WITHIN_S = 120.0
"""Seconds without any acknowledgement after which the connection counts as lost."""

HELD_S = 30.0
"""Seconds until a refused message, or a sale without subscribers, is sent again."""

LOOK_EVERY_S = 1.0
"""Seconds between two looks at a stream that had nothing new."""

_READ = 64  # messages read at once; many of the journal's rows produce none
_UNSENT = 0  # in place of a packet number, which starts at 1

NO_SUBSCRIBERS = 0x10
REFUSED_FROM = 0x80
"""Reason codes of MQTT 5, 2.4."""


@dataclass(frozen=True)
class Message:
    """One message of a stream. Without a topic it only advances the stream's mark."""

    seq: int
    topic: str = ""
    payload: bytes = b""


class Stream(Protocol):
    """A source of messages with increasing numbers."""

    def mark(self) -> int:
        """Returns the number of the last delivered message."""

    def after(self, seq: int, limit: int) -> Iterator[Message]:
        """Yields at most `limit` messages after number `seq`."""

    def mark_delivered(self, seq: int) -> None:
        """Records that all messages up to `seq` are delivered."""


class JournalStream:
    """The journal's rows as messages. The journal may be in use; it is only read. Raises `JournalError`."""

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

    def mark_delivered(self, seq: int) -> None:
        self._outbox.move_cursor(self._id, seq)


class OutboxStream:
    """The messages of the outbox."""

    def __init__(self, outbox: Outbox, machine: str) -> None:
        self._outbox = outbox
        self._machine = machine

    def mark(self) -> int:
        return 0  # delivered messages are deleted

    def after(self, seq: int, limit: int) -> Iterator[Message]:
        stream = f"outbox-{self._outbox.id}"
        for row in self._outbox.messages_after(seq, limit):
            yield Message(row.seq, row.topic, messages.payload(self._machine, stream, row.seq, row.utc, row.data))

    def mark_delivered(self, seq: int) -> None:
        self._outbox.remove_delivered(seq)


class Delivery:
    """Sends one stream through one connection.

    `publish` sends a message and returns the packet's number, or None if it cannot be sent. `free` returns how many
    more packets the broker allows now.
    """

    def __init__(
        self, stream: Stream, publish: Callable[[Message], int | None], free: Callable[[], int] = lambda: WINDOW
    ) -> None:
        self._stream = stream
        self._publish = publish
        self._free = free
        self._window = 1  # until the first is acknowledged: without subscribers only one is sent in vain
        self._held_until = self._look_at = self._waits_since = 0.0
        self._in_flight: deque[tuple[Message, int]] = deque()
        self._answered: set[int] = set()
        self._sent = self._taken = stream.mark()

    def send(self, now: float) -> None:
        """Sends as many messages as the window allows at `now`, in seconds of a monotonic clock."""
        sent = [len(message.payload) for message, packet in self._in_flight if packet != _UNSENT]
        most = min(self._window, len(sent) + self._free())
        if len(sent) >= most or now < max(self._held_until, self._look_at):
            return
        self._look_at = now + LOOK_EVERY_S
        for message in self._stream.after(self._sent, _READ):
            self._look_at = 0.0
            if message.topic:
                if len(sent) == most or (sent and sum(sent) + len(message.payload) > FLIGHT):
                    break
                packet = self._publish(message)
                if packet is None:
                    self._held_until = now + HELD_S
                    break
                if not sent:
                    self._waits_since = now
                sent.append(len(message.payload))
                self._in_flight.append((message, packet))
            else:
                self._in_flight.append((message, _UNSENT))
            self._sent = message.seq
        self._settle()

    def acknowledge(self, packet: int, code: int, now: float) -> str | None:
        """Handles a PUBACK, perhaps of another stream. Returns why the message is not delivered, or None."""
        message = next((each for each, number in self._in_flight if number == packet), None)
        if message is None:
            return None
        self._waits_since = now
        if code >= REFUSED_FROM:
            self._hold(now)
            return f"the broker refuses {message.topic} with code {code}: look at its access list"
        if code == NO_SUBSCRIBERS and message.topic == messages.SALE:
            self._hold(now)
            return "sales wait until somebody subscribes to them at the broker"
        self._answered.add(packet)
        self._window, self._held_until = WINDOW, 0.0
        self._settle()
        return None

    def is_overdue(self, now: float) -> bool:
        """Returns whether the broker has acknowledged nothing for too long."""
        return bool(self._in_flight) and now - self._waits_since > ANSWER_WITHIN_S

    def _hold(self, now: float) -> None:
        """Goes back to the mark, and continues from there after `HELD_S`."""
        self._in_flight.clear()
        self._answered.clear()
        self._sent, self._window, self._held_until = self._taken, 1, now + HELD_S

    def _settle(self) -> None:
        """Moves the mark past all messages that are acknowledged without a gap."""
        before = self._taken
        while self._in_flight and self._in_flight[0][1] in self._answered | {_UNSENT}:
            message, packet = self._in_flight.popleft()
            self._answered.discard(packet)
            self._taken = message.seq
        if self._taken != before:
            self._stream.mark_delivered(self._taken)
