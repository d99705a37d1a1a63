"""The soak's verdict on made-up runs: it passes what is well, and fails what drifts, is lost, or is not recovered."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.soak import audit, verdict
from benchmarks.soak.drift import drifts
from benchmarks.soak.driver import Recording, Soak
from benchmarks.soak.faults import WITHIN_S, Fault
from benchmarks.soak.figure import draw
from benchmarks.soak.page import PageError, insert_figures
from benchmarks.soak.sample import files_written_by, sample
from benchmarks.soak.world import ReportingDispenser, ReportingTerminal, Truth
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.journal.facts import (
    AgeCleared,
    Fact,
    MachineStarted,
    PaymentApproved,
    PaymentRequested,
    PaymentReversed,
    PaymentSettled,
    ReversalRequested,
    SaleClosed,
    SaleOpened,
    SettledByOperator,
    StockSet,
    VendRequested,
    VendSucceeded,
    VendUnknown,
)

ROOT = Path(__file__).parents[2]
STOCK: list[Fact] = [MachineStarted("1"), StockSet("A1", 5, "initial")]
SOLD: list[Fact] = [
    SaleOpened("x-1", "A1", "Water", 150, "EUR", 0),
    PaymentRequested("x-1", "x-1-1", 150),
    PaymentApproved("x-1", "x-1-1", 150),
    VendRequested("x-1", "A1"),
    VendSucceeded("x-1", "A1"),
    PaymentSettled("x-1", "x-1-1"),
    SaleClosed("x-1", "sold"),
]
UNKNOWN: list[Fact] = [
    *SOLD[:4],
    VendUnknown("x-1", "A1", "silent"),
    ReversalRequested("x-1", "x-1-1", "silent"),
    PaymentReversed("x-1", "x-1-1"),
    SaleClosed("x-1", "in_doubt"),
]


def truth(*messages: dict[str, Any]) -> Truth:
    known = Truth()
    for message in messages:
        known.add(message)
    return known


def charged(amount: int) -> dict[str, Any]:
    return {"terminal": ["x-1-1", "charged", amount]}


RETURNED = {"terminal": ["x-1-1", "returned", 150]}
DROPPED = {"dispenser": ["x-1", "A1"]}
SILENT = {"vend": "x-1", "behaviour": "SILENCE"}


# Sales


def test_a_sale_that_is_what_it_says() -> None:
    assert audit.problems([*STOCK, *SOLD], truth(charged(150), DROPPED)) == []


def test_a_vend_in_doubt_that_nobody_could_know() -> None:
    assert audit.problems([*STOCK, *UNKNOWN], truth(charged(150), SILENT, RETURNED)) == []
    settled = [*STOCK, *UNKNOWN, SettledByOperator("x-1", True)]
    assert audit.problems(settled, truth(charged(150), SILENT, DROPPED, RETURNED)) == []


@pytest.mark.parametrize(
    ("facts", "messages", "says"),
    [
        pytest.param(SOLD[:-1], [charged(150), DROPPED], "closed 0 times", id="never closed"),
        pytest.param([*SOLD, SOLD[-1]], [charged(150), DROPPED], "closed 2 times", id="closed twice"),
        pytest.param(SOLD, [charged(150)], "0 dropped", id="sold without goods"),
        pytest.param(SOLD, [charged(150), DROPPED, DROPPED], "2 products were dropped", id="a second product"),
        pytest.param(SOLD, [DROPPED, charged(150)], "dropped unpaid", id="goods before money"),
        pytest.param(SOLD, [charged(151), DROPPED], "151 is held", id="charged too much"),
        pytest.param([], [charged(150)], "not in the journal", id="a sale that is lost"),
        pytest.param([], [DROPPED], "of no sale", id="goods of no sale"),
        pytest.param(UNKNOWN, [charged(150), SILENT], "150 is held", id="in doubt and not refunded"),
        pytest.param(UNKNOWN, [charged(150), DROPPED, RETURNED], "is in doubt as silent", id="needless doubt"),
        pytest.param([*SOLD[:2], SOLD[-2]], [], "closed 0 times", id="nothing but a settlement"),
    ],
)
def test_audit_reports_each_loss(facts: Sequence[Fact], messages: Sequence[dict[str, Any]], says: str) -> None:
    found = audit.problems([*STOCK, *facts], truth(*messages))
    assert any(says in line for line in found), found


def test_an_age_limit_without_a_proof_of_age() -> None:
    beer = [SaleOpened("x-1", "A1", "Beer", 150, "EUR", 16), *SOLD[1:]]
    assert any("proof of age" in line for line in audit.problems([*STOCK, *beer], truth(charged(150), DROPPED)))
    cleared = [beer[0], AgeCleared("x-1", "id_confirmed", "reader"), *beer[1:]]
    assert audit.problems([*STOCK, *cleared], truth(charged(150), DROPPED)) == []


def test_a_doubt_because_of_a_restart_needs_a_restart() -> None:
    doubt = VendUnknown("x-1", "A1", "restart")
    messages = charged(150), RETURNED
    facts = [*STOCK, *UNKNOWN[:4], doubt, *UNKNOWN[5:]]
    assert any("restart that did not happen" in line for line in audit.problems(facts, truth(*messages)))
    facts = [*STOCK, *UNKNOWN[:4], MachineStarted("1"), doubt, *UNKNOWN[5:]]
    assert audit.problems(facts, truth(*messages)) == []


def test_stock_that_is_not_what_lies_there() -> None:
    facts = [*STOCK, *SOLD, SaleOpened("x-2", "A1", "Water", 150, "EUR", 0), SaleClosed("x-2", "cancelled")]
    assert audit.problems(facts, truth(charged(150), DROPPED)) == []
    facts.insert(-2, VendSucceeded("x-1", "A1"))
    assert any("slot A1 holds 4" in line for line in audit.problems(facts, truth(charged(150), DROPPED)))


# Drift


def samples(minutes: float, pid: int = 1, start: float = 0.0, **grow: float) -> list[dict[str, Any]]:
    """One a second, noisy, with what grows by so much an hour."""
    random = Random(0)
    base = {"memory_mb": 200.0, "files": 40.0, "threads": 12.0, "latency_ms": 30.0}
    noise = {"memory_mb": 3.0, "files": 1.0, "threads": 1.0, "latency_ms": 20.0}
    return [
        {"time": start + second, "pid": pid}
        | {name: base[name] + grow.get(name, 0.0) * second / 3600 + random.gauss(0, noise[name]) for name in base}
        for second in range(round(minutes * 60))
    ]


def grown(rows: list[dict[str, Any]]) -> list[str]:
    return [drift.measure for drift in drifts("kiosk", rows) if drift.exceeds_limit]


def test_noise_is_no_drift() -> None:
    assert grown(samples(30)) == []
    assert grown(samples(5)) == []


@pytest.mark.parametrize(
    ("measure", "hourly"), [("memory_mb", 60.0), ("files", 20.0), ("threads", 20.0), ("latency_ms", 400.0)]
)
def test_what_grows_is_drift(measure: str, hourly: float) -> None:
    assert grown(samples(30, **{measure: hourly})) == [measure]


def test_a_beginning_that_fills_caches_is_no_drift() -> None:
    rows = samples(30)
    for row in rows[:500]:
        row["memory_mb"] -= 100 - row["time"] / 5
    assert grown(rows) == []


def test_only_the_longest_life_is_judged() -> None:
    young = samples(5, pid=2, memory_mb=1000.0)
    assert grown(samples(30, start=400.0) + young) == []
    assert grown(samples(4, start=400.0) + young) == ["memory_mb"]


def test_a_life_that_is_too_short_says_nothing() -> None:
    assert list(drifts("kiosk", samples(0.5))) == []
    assert list(drifts("kiosk", [])) == []


# The rest of the verdict


def test_a_machine_that_sells_nothing_for_minutes() -> None:
    assert list(verdict.pace_problems(Recording("1", 600.0, sold=[60.0, 180.0, 300.0, 420.0, 540.0]))) == []
    assert list(verdict.pace_problems(Recording("1", 600.0, sold=[60.0, 180.0, 300.0, 540.0]))) == [
        "nothing was sold between 360 and 480 s"
    ]
    assert len(list(verdict.pace_problems(Recording("1", 30.0)))) == 1


def test_faults() -> None:
    limit = WITHIN_S["vision killed"]
    well = Fault("vision killed", 1.0, over=1.0, mended=limit)
    assert list(verdict.fault_problems([well])) == []
    late = Fault("vision killed", 1.0, over=1.0, mended=limit + 2)
    never = Fault("disk full", 1.0, over=5.0)
    assert len(list(verdict.fault_problems([late, never, Fault("disk full", 1.0)]))) == 3


def test_standard_error() -> None:
    assert list(verdict.error_problems(["WARNING the vision process hangs: starting it again"])) == []
    assert len(list(verdict.error_problems(["Traceback (most recent call last):"]))) == 1


def test_files(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.db").write_bytes(b"SQLite")
    journal = str(tmp_path / "state" / "journal.db")
    assert list(verdict.file_problems({journal, "/dev/shm/psm_1"}, tmp_path)) == []
    assert any("/elsewhere" in line for line in verdict.file_problems({"/elsewhere"}, tmp_path))
    (tmp_path / "face.raw").touch()
    assert any("face.raw was written" in line for line in verdict.file_problems(set(), tmp_path))
    (tmp_path / "face.raw").unlink()
    (tmp_path / "state" / "journal.db").write_bytes(b"SQLite \xff\xd8\xff")
    assert any("holds a picture" in line for line in verdict.file_problems(set(), tmp_path))


def test_a_journal_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert verdict.journal(tmp_path)[1]


# What is seen


def test_devices_tell_what_they_do_and_remember_what_they_are_told(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []

    def send(**message: Any) -> None:
        told.append(message)

    (tmp_path / "terminal").write_text('["x-1-1", "asked", 150]\n["x-1-1", "charged", 150]\n')
    terminal = ReportingTerminal(tmp_path / "terminal", send)
    assert (terminal.accounts["x-1-1"].held, told) == (150, [])
    terminal.reverse("x-1-1")
    dispenser = ReportingDispenser(tmp_path / "dispenser", send)
    dispenser.dispense("x-1", "A1")
    dispenser.plan([Vend.SILENCE])
    dispenser.dispense("x-2", "A1")
    dispenser.seconds = 1.0
    dispenser.dispense("x-3", "A1")
    dispenser.vanish()
    dispenser.dispense("x-4", "A1")
    known = truth(charged(150), *told)
    assert known.held == {"x-1-1": 0}
    assert known.dropped == {"x-1": 1}
    assert known.vends == {"x-1": ["DROP"], "x-2": ["SILENCE"], "x-3": ["VANISH"], "x-4": ["VANISH"]}
    assert not (tmp_path / "dispenser").exists()


def test_a_process_is_looked_at(tmp_path: Path) -> None:
    with (tmp_path / "written").open("w"):
        taken = sample(os.getpid())
        assert str(tmp_path / "written") in files_written_by(os.getpid())
    assert taken is not None
    assert taken.memory_mb >= taken.proportional_mb > 1
    assert taken.files >= 3
    assert taken.threads >= 1
    assert sample(2**22 + 1) is None


def test_a_kiosk_that_ends_by_itself_is_a_problem(tmp_path: Path) -> None:
    dies = (sys.executable, "-c", "import sys; sys.exit('it says why')")
    recording = Soak(tmp_path, 3600.0, "1", dies).run()
    assert recording.errors == ["it says why"]
    assert [line for line in recording.problems if "ended by itself" in line]
    assert recording.seconds < 3600
    found = verdict.problems(recording, tmp_path)
    assert any("there is no journal" in line for line in found)


def test_the_truth_outlives_the_kiosk_that_told_it(tmp_path: Path) -> None:
    """And of a line that is told twice, the sale counts once."""
    row = b'{"terminal": ["x-1-1", "settled", 0]}\n'
    program = (sys.executable, "-c", f"import os, sys; os.write(int(sys.argv[-1]), {row!r} * 2)")
    soak = Soak(tmp_path, 3600.0, "1", program)
    recording = soak.run()
    assert (soak.state / "terminal.jsonl").read_text() == '["x-1-1", "settled", 0]\n' * 2
    assert len(recording.sold) == 1
    assert recording.truth.settled == {"x-1-1"}


def test_a_picture_of_it(tmp_path: Path) -> None:
    rows = [
        {"time": float(second), "latency_ms": 30.0, "kiosk": {"pid": 1, "memory_mb": 1.0, "files": 2, "threads": 3}}
        for second in range(30)
    ]
    faults = [Fault("disk full", 3.0, 5.0, 7.0), Fault("vision killed", 9.0)]
    draw(Recording("1", 30.0, rows=rows, sold=[1.0, 2.0], faults=faults), tmp_path / "soak.png")
    assert (tmp_path / "soak.png").stat().st_size > 1000


# The page


def test_the_page_says_what_was_measured() -> None:
    report = json.loads((ROOT / "benchmarks" / "soak" / "results.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "soak.md").read_text(encoding="utf-8")
    assert insert_figures(page, report) == page
    assert report["problems"] == []


def test_a_page_without_a_place_for_the_figures() -> None:
    with pytest.raises(PageError):
        insert_figures("no place", {})
