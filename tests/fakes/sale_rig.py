"""A whole machine for tests: the sale, simulated devices, a journal in memory, and a clock that the test sets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from operator import attrgetter

from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.devices.protocols import IdVerifier
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.id_reader import SimulatedIdReader
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal import Entry, Head, JournalError
from kiosk.vending.journal.facts import Fact, data_of, kind_of, parse_fact
from kiosk.vending.journal.ledger import Ledger, fold
from kiosk.vending.journal.recovery import CHECKPOINT_EVERY
from kiosk.vending.sale.events import Choose, Continue, EnterService, SetStock, Start
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop

WATER, BEER, WINE = "A1", "B1", "B2"
PRICES = {WATER: 180, BEER: 350, WINE: 990}
AGES = {WATER: 0, BEER: 16, WINE: 18}
STOCK = 3


def catalog() -> Catalog:
    return Catalog.model_validate(
        {
            "currency": "EUR",
            "product": [
                {
                    "slot": slot,
                    "price": PRICES[slot],
                    "minimum_age": AGES[slot],
                    "name": {"en": name},
                    "capacity": 5,
                    "stock": STOCK,
                }
                for slot, name in ((WATER, "Water"), (BEER, "Beer"), (WINE, "Wine"))
            ],
        }
    )


SEQ = attrgetter("seq")


class MemoryJournal:
    """A journal in memory, which outlives a simulated crash and can be full."""

    id = "cafe0000"

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.reopened = 0
        self.room: int | None = None
        """Rows that still fit; None for no limit."""

    def append(self, fact: Fact) -> Entry:
        if self.room is not None:
            if self.room == 0:
                raise JournalError("the disk is full")
            self.room -= 1
        self.rows.append(json.dumps([kind_of(fact), data_of(fact)]))
        return Entry(len(self.rows), "2026-01-01T12:00:00.000Z", fact)

    def reopen(self) -> None:
        self.reopened += 1

    def entries(self, after: int = 0) -> Iterator[Entry]:
        for seq, row in enumerate(self.rows[after:], after + 1):
            yield Entry(seq, "2026-01-01T12:00:00.000Z", parse_fact(*json.loads(row)))

    def latest(self, kind: type[Fact]) -> Entry | None:
        return max((entry for entry in self.entries() if isinstance(entry.fact, kind)), key=SEQ, default=None)

    @property
    def head(self) -> Head:
        return Head(len(self.rows), "")

    def of_kind(self, kind: type[Fact]) -> Iterator[Entry]:
        return (entry for entry in self.entries() if isinstance(entry.fact, kind))

    @property
    def facts(self) -> list[Fact]:
        return [entry.fact for entry in self.entries()]

    @property
    def kinds(self) -> list[str]:
        return [kind_of(fact) for fact in self.facts]


class Rig:
    """A sale with everything that it needs, and what really happened to money and products."""

    def __init__(
        self,
        *,
        automatic_age_check: bool = True,
        verifiers: Sequence[IdVerifier] | None = None,
        checkpoint_every: int = CHECKPOINT_EVERY,
    ) -> None:
        self.now = 1000.0
        self.journal = MemoryJournal()
        self.terminal = SimulatedTerminal()
        self.dispenser = SimulatedDispenser()
        self.reader = SimulatedIdReader()
        self.verifiers = [self.reader] if verifiers is None else verifiers
        self.automatic_age_check = automatic_age_check
        self.checkpoint_every = checkpoint_every
        self.start()

    def start(self, *, keeps_messages: bool = False) -> None:
        """Starts the program, perhaps again, with only the journal and the devices left of the last run.

        `keeps_messages`: whether the devices' messages from before can still be fetched.
        """
        if not keeps_messages:
            self.terminal.connect()
            self.dispenser.connect()
        self.shop = Shop(
            catalog(),
            self.journal,  # type: ignore[arg-type]
            self.terminal,
            self.dispenser,
            self.verifiers,
            automatic_age_check=self.automatic_age_check,
            checkpoint_every=self.checkpoint_every,
            now=self.now,
        )

    def after(self, seconds: float) -> None:
        """Lets `seconds` pass in one step."""
        self.now += seconds
        self.shop.tick(self.now)

    def tick(self, times: int = 3) -> None:
        """Lets a moment pass, in which devices that answer at once have answered."""
        for _ in range(times):
            self.after(0.1)

    def choose(self, slot: str, *, camera: bool = True) -> None:
        """Goes from the first screen to a product."""
        self.shop.touch(Start(camera))
        self.shop.touch(Choose(slot))

    def buy(self, slot: str = WATER, *, camera: bool = True) -> None:
        """Goes from the first screen to a payment."""
        self.choose(slot, camera=camera)
        self.shop.touch(Continue())

    def fill(self, slot: str, count: int) -> None:
        self.shop.operate(SetStock(slot, count, "refill"))

    def into_service(self) -> None:
        self.shop.operate(EnterService())

    @property
    def phase(self) -> Phase:
        return self.shop.snapshot.phase

    @property
    def reason(self) -> str:
        return self.shop.snapshot.reason

    @property
    def ledger(self) -> Ledger:
        return self.shop.state.ledger

    @property
    def recorded(self) -> Ledger:
        """The ledger that a restart would have."""
        return fold(self.journal.facts)

    @property
    def held(self) -> int:
        """Minor units that customers have paid and not got back."""
        return sum(account.held for account in self.terminal.accounts.values())

    @property
    def dropped(self) -> int:
        return sum(self.dispenser.dropped.values())

    def kinds_of_last_sale(self) -> list[str]:
        """Returns the kinds of the journalled facts of the last sale, in order."""
        last = f"{self.journal.id}-{self.ledger.opened}"
        return [kind_of(fact) for fact in self.journal.facts if getattr(fact, "sale", None) == last]


def assert_paid_for_nothing(rig: Rig) -> None:
    assert rig.held == 0
    assert rig.dropped == 0
    assert not rig.ledger.transactions


def settle_everything(rig: Rig) -> None:
    """Lets the devices answer, also to repeated commands, and lets the customer leave."""
    rig.tick(5)
    for _ in range(5):
        rig.after(60)
    while rig.phase not in (Phase.ATTRACT, Phase.OUT_OF_ORDER):
        rig.after(60)
