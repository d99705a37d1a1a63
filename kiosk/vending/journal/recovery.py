"""What a start makes of the sales that the last run left open, and a run of those that its journal failed in.

After any crash, power cut or full disk, by how far the journal got:

| the last thing journalled of a sale | becomes |
|---|---|
| opened, age cleared, declined | closed: nothing was charged |
| payment requested or approved | reversed: whatever the terminal took goes back |
| vend requested | in doubt: refunded, its stock uncertain, and a person settles it |
| vend succeeded | settled: the sale stands |
| vend failed, reversal requested | reversed |

The reversals and settlements themselves are sent by the running sale, which repeats them until the terminal
acknowledges them. A crash during all this is met by doing it again: what is already journalled is not done twice.
"""

from __future__ import annotations

from typing import Literal

from kiosk.vending.journal.facts import Fact, ReversalRequested, SaleClosed, VendUnknown
from kiosk.vending.journal.ledger import Ledger, apply


def recovered(ledger: Ledger, reason: Literal["restart", "journal"] = "restart") -> tuple[Fact, ...]:
    """The facts to append before anything new begins."""
    facts: list[Fact] = []

    def record(fact: Fact) -> None:
        nonlocal ledger
        facts.append(fact)
        ledger = apply(ledger, fact)

    for sale in ledger.sales.values():
        if sale.goods == "requested":
            record(VendUnknown(sale.id, sale.slot, reason))
    for transaction in ledger.transactions.values():
        if transaction.state in ("requested", "approved"):
            record(ReversalRequested(transaction.sale, transaction.id, reason))
    for sale in ledger.finished():
        record(SaleClosed(sale.id, sale.outcome))
    return tuple(facts)
