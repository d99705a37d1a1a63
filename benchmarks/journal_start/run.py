"""Measures how long a start takes with a journal of many sales, with and without a checkpoint of its ledger.

    python benchmarks/journal_start/run.py [--sales 15000] [--rounds 3]

Both take turns on one journal in a temporary folder: each opens it, which verifies every row, and then computes the
ledger.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs in a bare checkout
from kiosk.vending.journal import Journal
from kiosk.vending.journal.facts import (
    PaymentApproved,
    PaymentRequested,
    PaymentSettled,
    SaleClosed,
    SaleOpened,
    StockSet,
    VendRequested,
    VendSucceeded,
)
from kiosk.vending.journal.ledger import Ledger, fold
from kiosk.vending.journal.recovery import make_checkpoint, rebuild_ledger


def main() -> None:
    """Prints one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sales", type=int, default=15_000)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        write(path, wanted.sales)
        opened: list[float] = []
        added_up: list[float] = []
        from_checkpoint: list[float] = []
        for _ in range(wanted.rounds):
            began = perf_counter()
            with closing(Journal(path)) as journal:
                opened.append(perf_counter() - began)
                added_up.append(seconds(all_added_up, journal))
                from_checkpoint.append(seconds(rebuild_ledger, journal))
                rows = journal.head.seq
    verified = median(opened)
    print(f"{rows} rows, verified in {verified:.2f} s ({rows / verified:,.0f} rows/s)")
    for name, times in (("every fact added up", added_up), ("from the checkpoint", from_checkpoint)):
        print(f"{name}: {median(times):.3f} s, start {verified + median(times):.2f} s")


def all_added_up(journal: Journal) -> Ledger:
    """Returns the ledger computed from every fact, without a checkpoint."""
    return fold(entry.fact for entry in journal.entries())


def seconds(recall: Callable[[Journal], Ledger], journal: Journal) -> float:
    """Returns the seconds that `recall` takes."""
    began = perf_counter()
    recall(journal)
    return perf_counter() - began


def write(path: Path, sales: int) -> None:
    """Writes a journal of `sales` sales, with a checkpoint about a thousand rows before the end."""
    with closing(Journal(path)) as journal:
        journal._database.execute("PRAGMA synchronous = OFF")
        journal.append(StockSet("A1", 999, "initial"))
        for number in range(1, sales + 1):
            if number == sales - 142:
                journal.append(make_checkpoint(all_added_up(journal)))
            sale, transaction = f"{journal.id}-{number}", f"{journal.id}-{number}-1"
            for fact in (
                SaleOpened(sale, "A1", "Water", 180, "EUR", 0),
                PaymentRequested(sale, transaction, 180),
                PaymentApproved(sale, transaction, 180, f"T{number:06}"),
                VendRequested(sale, "A1"),
                VendSucceeded(sale, "A1"),
                PaymentSettled(sale, transaction),
                SaleClosed(sale, "sold"),
            ):
                journal.append(fact)


if __name__ == "__main__":
    main()
