"""A dispenser without motors, which can do everything that a real one does to a sale.

By script, one behaviour for each vend to come, or by hand with `Behaviour.WAIT`. What fell it keeps in a file, if it
is given one, as the world does beside a kiosk that loses power.
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
    """What happens to one vend."""

    WAIT = "wait for drop(), jam() or silence()"
    DROP = "drop"
    DROP_TWICE = "drop once, and say so twice"
    DROP_UNSEEN = "drop, and say nothing"
    DROP_AFTER_JAM = "say that it is jammed, and drop then"
    JAM = "the motor is stuck"
    NOTHING = "it turns, and nothing falls"
    SILENCE = "neither drop nor answer"
    VANISH = "drop, and go away before saying so"


@dataclass
class SimulatedDispenser:
    """Drops nothing, and counts it. `truth` is its file."""

    truth: Path | None = None
    otherwise: Behaviour = Behaviour.DROP
    seconds: float = 0.0
    """How long a motor turns."""
    repeats: bool = False
    """Whether it says everything twice."""
    away: bool = False
    simulated: bool = True
    script: deque[Behaviour] = field(default_factory=deque)
    dropped: Counter[str] = field(default_factory=Counter)
    """How many products fell, by vend."""
    fallen: Counter[str] = field(default_factory=Counter)
    """How many products fell, by slot."""
    waiting: tuple[str, str] | None = None
    """The vend and slot that wait for somebody to act."""
    _said: list[DispenserMessage] = field(default_factory=list, init=False)
    _due: dict[str, tuple[float, str, Behaviour]] = field(default_factory=dict, init=False)
    _now: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.truth and self.truth.exists():
            for line in self.truth.read_text(encoding="utf-8").splitlines():
                vend, slot = json.loads(line)
                self._count(vend, slot)
        self.connect()

    def connect(self) -> None:
        """The kiosk has begun anew. What it did not fetch is lost."""
        self._said = [FaultChanged("dispenser", True)] if self.away else []

    def plan(self, behaviours: Iterable[Behaviour]) -> None:
        """Appends to the script."""
        self.script.extend(behaviours)

    def dispense(self, vend: str, slot: str) -> None:
        """Does what the script says, each time that it is told to: a vend that is told twice drops twice."""
        if self.away:
            return
        behaviour = self.script.popleft() if self.script else self.otherwise
        if self.seconds:
            self._due[vend] = self._now + self.seconds, slot, behaviour
        else:
            self._behave(vend, slot, behaviour)

    def close(self) -> None:
        """There is nothing to let go of."""

    def poll(self, now: float) -> Sequence[DispenserMessage]:
        """Everything said since the last call."""
        self._now = now
        for vend, (due, slot, behaviour) in list(self._due.items()):
            if due <= now:
                del self._due[vend]
                self._behave(vend, slot, behaviour)
        said, self._said = self._said, []
        return said

    def drop(self) -> None:
        """The product of the waiting vend falls."""
        if self.waiting:
            (vend, slot), self.waiting = self.waiting, None
            self._drop(vend, slot, 1)

    def jam(self) -> None:
        """The motor of the waiting vend gets stuck."""
        if self.waiting:
            self._say(NotDropped(self.waiting[0], "jam"))
            self.waiting = None

    def silence(self) -> None:
        """The waiting vend is never heard of again."""
        self.waiting = None

    def say(self, message: DispenserMessage) -> None:
        """Says anything."""
        self._say(message)

    def vanish(self) -> None:
        """The cable is pulled: nothing is heard or said."""
        if not self.away:
            self.away, self.waiting = True, None
            self._due.clear()
            self._said = [FaultChanged("dispenser", True)]

    def come_back(self) -> None:
        """The cable is in again."""
        if self.away:
            self.away = False
            self._said.append(FaultChanged("dispenser", False))

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
                self._say(NotDropped(vend, "jam"))
                self._drop(vend, slot, 1)
            case Behaviour.JAM:
                self._say(NotDropped(vend, "jam"))
            case Behaviour.NOTHING:
                self._say(NotDropped(vend, "nothing"))
            case Behaviour.VANISH:
                self._drop(vend, slot, 0)
                self.vanish()

    def _drop(self, vend: str, slot: str, said: int) -> None:
        self._count(vend, slot)
        if self.truth:
            with self.truth.open("a", encoding="utf-8") as file:
                file.write(json.dumps([vend, slot]) + "\n")
        for _ in range(said):
            self._say(Dropped(vend))

    def _say(self, message: DispenserMessage) -> None:
        self._said += [message] * (2 if self.repeats else 1)

    def _count(self, vend: str, slot: str) -> None:
        self.dropped[vend] += 1
        self.fallen[slot] += 1
