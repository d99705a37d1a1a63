"""Why a machine cannot sell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FaultName = Literal["terminal", "dispenser", "journal", "operator", "unsettled"]
"""What is wrong: a device is away, the journal cannot be written, the operator stopped the sale, or the terminal does
not acknowledge what it has to pay back or make final."""


@dataclass(frozen=True)
class FaultChanged:
    """A fault came or went."""

    fault: FaultName
    present: bool
