"""Orders are carried out while nobody is there, as service mode would, and an engine that does not work goes back."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.common.errors import KioskError
from kiosk.fleet import engine_trial
from kiosk.fleet.engine_trial import MOST_STARTS, STEADY_S, WITHIN_S, EngineHealth, EngineTrial, engine_at_start
from kiosk.fleet.order_executor import OrderExecutor
from kiosk.fleet.orders import Order
from kiosk.vending.journal.operator_settings import OUT_OF_ORDER, OperatorSettings
from kiosk.vending.sale.events import Cancel, Start
from kiosk.vending.sale.state import Phase
from tests.fakes.fleet_rig import BEGIN
from tests.fakes.sale_rig import PRICES, WATER, Rig

GOOD, OTHER, GONE = "a" * 64, "b" * 64, "c" * 64


def order(kind: str, counter: int = 1, **change: Any) -> Order:
    expires = (BEGIN + timedelta(days=1)).isoformat()
    said = {"machine": "m-1", "counter": counter, "expires": expires, "set": {"kind": kind, **change}}
    return Order.model_validate(said)


class OrderRig:
    """A shop with an order executor, the results of its orders, and a simulated vision process."""

    def __init__(self, folder: Path, *, engines: bool = True) -> None:
        self.rig = Rig()
        self.settings = OperatorSettings(self.rig.journal)  # type: ignore[arg-type]
        self.utc = BEGIN
        self.waiting: deque[Order] = deque()
        self.results: list[tuple[str, str]] = []
        self.used: list[str | None] = []
        self.engine_health: EngineHealth = "unknown"
        self.path = folder / "fleet-engine.json"
        self.fails_to_load = False
        self._engines = engines
        self.start()

    def start(self) -> None:
        trial = EngineTrial(self.path, self.find, self.use, lambda: self.engine_health) if self._engines else None
        self.desk = OrderExecutor(self, self.rig.shop, self.settings, trial, lambda: self.utc)

    def find(self, sha256: str) -> Path:
        if sha256 == GONE:
            raise KioskError("there is no such engine")
        return Path(sha256)

    def use(self, path: Path | None) -> None:
        if self.fails_to_load:
            raise KioskError("other age groups")
        self.used.append(str(path) if path else None)

    def next_order(self) -> Order | None:
        return self.waiting[0] if self.waiting else None

    def finish(self, order: Order, outcome: str, reason: str = "") -> None:
        assert self.waiting.popleft() is order
        self.results.append((outcome, reason))

    def after(self, seconds: float) -> None:
        self.rig.after(seconds)
        self.desk.advance(self.rig.now)


@pytest.fixture
def desk(tmp_path: Path) -> OrderRig:
    return OrderRig(tmp_path)


def price(desk: OrderRig) -> int:
    return next(offer.price for offer in desk.rig.shop.snapshot.offers if offer.slot == WATER)


# Prices and order


def test_a_price_changes_once_no_customer_is_there(desk: OrderRig) -> None:
    desk.rig.choose(WATER)
    desk.waiting.append(order("price", slot=WATER, price=200))
    desk.after(1)
    assert (price(desk), desk.results) == (PRICES[WATER], [])
    desk.rig.shop.touch(Cancel())
    desk.after(1)
    assert (price(desk), desk.results) == (200, [("applied", "")])
    assert desk.rig.journal.kinds.count("price_set") == 1
    desk.waiting.append(order("price", slot=WATER, price=200))  # again, as after a crash
    desk.after(1)
    assert desk.rig.journal.kinds.count("price_set") == 1
    assert desk.results[1:] == [("applied", "")]


def test_a_price_of_an_unknown_slot_is_refused(desk: OrderRig) -> None:
    desk.waiting.append(order("price", slot="Z9", price=200))
    desk.after(1)
    assert desk.results == [("refused", "there is no slot Z9")]


def test_an_order_that_expired_while_it_waited_is_refused(desk: OrderRig) -> None:
    desk.rig.shop.touch(Start(camera=False))
    desk.waiting.append(order("price", slot=WATER, price=200))
    desk.after(1)
    desk.utc += timedelta(days=2)
    desk.rig.shop.touch(Cancel())
    desk.after(1)
    assert desk.results == [("refused", "it has expired, by this machine's clock of 2026-03-04 12:00")]
    assert price(desk) == PRICES[WATER]


def test_a_machine_goes_out_of_order_and_back_and_service_mode_knows(desk: OrderRig) -> None:
    desk.waiting.append(order("out_of_order", on=True))
    desk.after(1)
    assert desk.rig.phase is Phase.OUT_OF_ORDER
    assert desk.settings.get(OUT_OF_ORDER, 0) == 1
    desk.waiting.append(order("out_of_order", on=False))
    desk.after(1)
    assert desk.rig.phase is Phase.ATTRACT
    assert desk.rig.journal.kinds.count("setting_changed") == 2
    assert desk.results == [("applied", "")] * 2


@pytest.mark.parametrize("waits", [order("price", slot=WATER, price=200), order("out_of_order", on=True)])
def test_an_order_waits_while_the_journal_cannot_be_written(desk: OrderRig, waits: Order) -> None:
    desk.rig.journal.room = 0
    desk.waiting.append(waits)
    desk.after(1)
    assert desk.results == []
    desk.rig.journal.room = None
    for _ in range(10):
        desk.after(10)
    assert desk.results == [("applied", "")]
    assert (price(desk) == 200) != (desk.rig.phase is Phase.OUT_OF_ORDER)


# Engines


def test_an_engine_that_runs_well_is_kept(desk: OrderRig) -> None:
    desk.waiting.append(order("engine", sha256=GOOD))
    desk.after(1)
    desk.engine_health = "well"
    desk.after(1)
    desk.after(STEADY_S - 1)
    assert (desk.used, desk.results) == ([GOOD], [])
    desk.after(1)
    assert desk.results == [("applied", "")]
    assert engine_at_start(desk.path, desk.find) == Path(GOOD)


@pytest.mark.parametrize("engine_health", ["unwell", "unknown"])
def test_an_engine_that_does_not_work_is_rolled_back(desk: OrderRig, engine_health: EngineHealth) -> None:
    engine_trial.write(desk.path, engine_trial.Choice(OTHER))
    desk.start()
    desk.waiting.append(order("engine", sha256=GOOD))
    desk.after(1)
    desk.engine_health = engine_health
    desk.after(WITHIN_S + 1)
    assert (desk.used, desk.results) == ([GOOD, OTHER], [("rolled_back", "")])
    assert engine_at_start(desk.path, desk.find) == Path(OTHER)


def test_a_customer_who_comes_in_the_middle_does_not_keep_a_broken_engine(desk: OrderRig) -> None:
    desk.waiting.append(order("engine", sha256=GOOD))
    desk.after(1)
    desk.rig.shop.touch(Start(camera=True))
    desk.engine_health = "unwell"
    desk.after(1)
    assert desk.used == [GOOD, None]


def test_no_engine_trial_begins_during_a_sale(desk: OrderRig) -> None:
    desk.rig.shop.touch(Start(camera=True))
    desk.waiting.append(order("engine", sha256=GOOD))
    desk.after(1)
    assert (desk.used, desk.results) == ([], [])


def test_a_program_that_does_not_come_up_with_an_engine_gets_the_old_one(desk: OrderRig) -> None:
    desk.waiting.append(order("engine", sha256=GOOD))
    desk.after(1)
    assert engine_at_start(desk.path, desk.find) == Path(GOOD)
    for _ in range(MOST_STARTS - 2):
        assert engine_at_start(desk.path, desk.find) == Path(GOOD)
    assert engine_at_start(desk.path, desk.find) is None
    desk.utc += timedelta(days=2)  # the result is reported, however late
    desk.start()
    desk.after(1)
    assert desk.results == [("rolled_back", "")]
    assert desk.used == [GOOD]
    desk.utc = BEGIN
    desk.waiting.append(order("engine", 2, sha256=GOOD))  # another order may try again
    desk.after(1)
    assert desk.used == [GOOD, GOOD]


def test_a_trial_goes_on_after_a_restart(desk: OrderRig) -> None:
    desk.waiting.append(order("engine", sha256=GOOD))
    desk.after(1)
    engine_at_start(desk.path, desk.find)
    desk.start()
    desk.engine_health = "well"
    desk.after(1)
    desk.after(STEADY_S)
    assert desk.results == [("applied", "")]
    assert desk.used == [GOOD]


class PowerCutError(BaseException):
    """A simulated power cut. The code under test does not catch it."""


@pytest.mark.parametrize("engine_health", ["well", "unwell"])
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("at", range(4))
def test_a_trial_survives_a_power_cut_at_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine_health: EngineHealth, *, at: int, kept: bool
) -> None:
    """The cut comes before and after each write of the engine's choice, and before the result is sent."""
    desk = OrderRig(tmp_path)
    engine_trial.write(desk.path, engine_trial.Choice(OTHER))
    desk.start()
    desk.engine_health = engine_health
    steps = 0

    def cut(*, after: bool) -> None:
        nonlocal steps
        steps += not after
        if steps == at + 1 and after == kept:
            steps = 99
            raise PowerCutError

    real = engine_trial.write

    def write(path: Path, choice: engine_trial.Choice) -> None:
        cut(after=False)
        real(path, choice)
        cut(after=True)

    def finish(order: Order, outcome: str, reason: str = "") -> None:
        cut(after=False)
        assert desk.waiting.popleft() is order
        desk.results.append((outcome, reason))
        cut(after=True)

    with monkeypatch.context() as fragile:
        fragile.setattr("kiosk.fleet.engine_trial.write", write)
        fragile.setattr(desk, "finish", finish)
        desk.waiting.append(order("engine", sha256=GOOD))
        for _ in range(200):
            try:
                desk.after(1)
            except PowerCutError:
                engine_at_start(desk.path, desk.find)
                desk.start()
    assert desk.results == [("applied" if engine_health == "well" else "rolled_back", "")]
    assert engine_at_start(desk.path, desk.find) == Path(GOOD if engine_health == "well" else OTHER)
    judged = desk.used.index(OTHER) if OTHER in desk.used else len(desk.used)
    assert GOOD not in desk.used[judged:]  # what was rolled back stays so


def test_one_order_does_not_try_a_rolled_back_engine_again(desk: OrderRig) -> None:
    """The power cut comes after the rollback and before the result is sent."""
    asked = order("engine", sha256=GOOD)
    desk.waiting.append(asked)
    desk.after(1)
    desk.engine_health = "unwell"
    desk.after(1)
    assert desk.results == [("rolled_back", "")]
    engine_at_start(desk.path, desk.find)
    desk.start()
    desk.waiting.append(asked)
    desk.after(1)
    assert desk.results == [("rolled_back", "")] * 2
    assert desk.used == [GOOD, None]


def test_an_engine_whose_file_changes_in_the_trial_goes_back(desk: OrderRig, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.waiting.append(order("engine", sha256=GOOD))
    desk.engine_health = "well"
    desk.after(1)
    monkeypatch.setattr(f"{__name__}.GONE", GOOD)
    desk.after(1)
    desk.after(STEADY_S)
    assert desk.results == [("rolled_back", "")]
    assert desk.used == [GOOD, None]


def test_an_engine_that_is_not_there_or_not_fit_changes_nothing(desk: OrderRig) -> None:
    desk.waiting.append(order("engine", sha256=GONE))
    desk.after(1)
    desk.fails_to_load = True
    desk.waiting.append(order("engine", sha256=GOOD))
    desk.after(1)
    assert desk.results == [("refused", "there is no such engine"), ("refused", "other age groups")]
    assert engine_at_start(desk.path, desk.find) is None


def test_an_engine_that_was_taken_away_is_replaced_by_the_own_one(desk: OrderRig) -> None:
    engine_trial.write(desk.path, engine_trial.Choice(GONE))
    assert engine_at_start(desk.path, desk.find) is None
    desk.path.write_text("{")
    assert engine_at_start(desk.path, desk.find) is None


def test_a_machine_without_a_folder_takes_no_engine(tmp_path: Path) -> None:
    desk = OrderRig(tmp_path, engines=False)
    desk.waiting.append(order("engine", sha256=GOOD))
    desk.after(1)
    ((outcome, reason),) = desk.results
    assert outcome == "refused"
    assert "fleet.engines" in reason
