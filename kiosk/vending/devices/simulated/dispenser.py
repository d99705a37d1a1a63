"""A simulated dispenser, which can behave in every way that a real one does.

It follows a script with one behaviour for each vend, or waits for calls with `Behaviour.WAIT`. It can keep in a file
what dropped, which outlives a kiosk that loses power.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from kiosk.vending.devices.protocols import DispenserMessage, Dropped, FaultChanged, NotDropped


class Behaviour(Enum):
    """What the dispenser does with one vend."""

    WAIT = "wait for drop(), jam() or silence()"
    DROP = "drop"
    DROP_TWICE = "drop once, and report it twice"
    DROP_UNSEEN = "drop, and report nothing"
    DROP_AFTER_JAM = "report a jam, and drop then"
    JAM = "the motor is stuck"
    NOTHING = "the motor turns, and nothing drops"
    SILENCE = "neither drop nor answer"
    VANISH = "drop, and disconnect before reporting it"


@dataclass
class SimulatedDispenser:
    """A `Dispenser` that only counts drops. `truth` is the file that records them."""

    truth: Path | None = None
    default: Behaviour = Behaviour.DROP
    seconds: float = 0.0
    """Seconds that a motor turns."""
    repeats: bool = False
    """Whether it sends every message twice."""
    away: bool = False
    simulated: bool = True
    script: deque[Behaviour] = field(default_factory=deque)
    dropped: Counter[str] = field(default_factory=Counter)
    """Products dropped, by vend."""
    fallen: Counter[str] = field(default_factory=Counter)
    """Products dropped, by slot."""
    waiting: tuple[str, str] | None = None
    """The vend and its slot that wait for `drop`, `jam` or `silence`."""
    _messages: list[DispenserMessage] = field(default_factory=list, init=False)
    _due: dict[str, tuple[float, str, Behaviour]] = field(default_factory=dict, init=False)
    _now: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.truth and self.truth.exists():
            for line in self.truth.read_text(encoding="utf-8").splitlines():
                vend, slot = json.loads(line)
                self._count(vend, slot)
        self.connect()

    def connect(self) -> None:
        """Simulates a restart of the kiosk: messages that it did not fetch are lost."""
        self._messages = [FaultChanged("dispenser", True)] if self.away else []

    def plan(self, behaviours: Iterable[Behaviour]) -> None:
        """Appends behaviours to the script."""
        self.script.extend(behaviours)

    def dispense(self, vend: str, slot: str) -> None:
        """Does what the script says, at every call: a vend that is commanded twice drops twice."""
        if self.away:
            return
        behaviour = self.script.popleft() if self.script else self.default
        if self.seconds:
            self._due[vend] = self._now + self.seconds, slot, behaviour
        else:
            self._behave(vend, slot, behaviour)

    def close(self) -> None:
        """Does nothing: there is no device."""

    def poll(self, now: float) -> Sequence[DispenserMessage]:
        """Returns the messages since the last call."""
        self._now = now
        for vend, (due, slot, behaviour) in list(self._due.items()):
            if due <= now:
                del self._due[vend]
                self._behave(vend, slot, behaviour)
        messages, self._messages = self._messages, []
        return messages

    def drop(self) -> None:
        """Drops the product of the waiting vend."""
        if self.waiting:
            (vend, slot), self.waiting = self.waiting, None
            self._drop(vend, slot, 1)

    def jam(self) -> None:
        """Jams the motor of the waiting vend."""
        if self.waiting:
            self._emit(NotDropped(self.waiting[0], "jam"))
            self.waiting = None

    def silence(self) -> None:
        """Never answers the waiting vend."""
        self.waiting = None

    def say(self, message: DispenserMessage) -> None:
        """Sends any message."""
        self._emit(message)

    def vanish(self) -> None:
        """Disconnects, as if the cable were pulled."""
        if not self.away:
            self.away, self.waiting = True, None
            self._due.clear()
            self._messages = [FaultChanged("dispenser", True)]

    def come_back(self) -> None:
        """Connects again."""
        if self.away:
            self.away = False
            self._messages.append(FaultChanged("dispenser", False))

    def _behave(self, vend: str, slot: str, behaviour: Behaviour) -> None:
        match behaviour:
            case Behaviour.WAIT:
                self.waiting = vend, slot
            case Behaviour.DROP:
                self._drop(vend, slot, 1)
            case Behaviour.DROP_TWICE:
                self._drop(vend, slot, 2)
            case Behaviour.DROP_UNSEEN:
                self._drop(vend, slot, 0)
            case Behaviour.DROP_AFTER_JAM:
                self._emit(NotDropped(vend, "jam"))
                self._drop(vend, slot, 1)
            case Behaviour.JAM:
                self._emit(NotDropped(vend, "jam"))
            case Behaviour.NOTHING:
                self._emit(NotDropped(vend, "nothing"))
            case Behaviour.VANISH:
                self._drop(vend, slot, 0)
                self.vanish()

    def _drop(self, vend: str, slot: str, reports: int) -> None:
        self._count(vend, slot)
        if self.truth:
            with self.truth.open("a", encoding="utf-8") as file:
                file.write(json.dumps([vend, slot]) + "\n")
        for _ in range(reports):
            self._emit(Dropped(vend))

    def _emit(self, message: DispenserMessage) -> None:
        self._messages += [message] * (2 if self.repeats else 1)

    def _count(self, vend: str, slot: str) -> None:
        self.dropped[vend] += 1
        self.fallen[slot] += 1
