"""How near an engine comes to the ONNX file that it was made of, run by ONNX Runtime on the CPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiosk.common.errors import KioskError
from kiosk.inference import Crops, Engine
from kiosk.inference.manifest import Precision, Verification

BATCHES = (1, 3, 8)
"""Crops a run, in turn: an engine may be right for one face and wrong for several."""


@dataclass(frozen=True)
class Tolerance:
    """What an engine may differ in a probability, over all crops on average and at worst."""

    mean: float
    largest: float


TOLERANCES: dict[Precision, Tolerance] = {
    "fp32": Tolerance(mean=1e-4, largest=2e-3),
    "fp16": Tolerance(mean=2e-3, largest=3e-2),
    "int8": Tolerance(mean=1e-2, largest=2.5e-1),
}
"""float32 sums in another order; float16 has three digits. In eight bits one step of one value that falls on
the other side of a rounding goes on through every layer after it, so a single crop may differ by much."""


class ParityError(KioskError):
    """An engine that does not say what its network says."""


def compare(engine: Engine, reference: Engine, crops: Crops) -> tuple[float, float]:
    """Mean and largest difference of a probability over (n, 1, 75, 75) crops."""
    expected = np.concatenate(reference.infer(crops), axis=1)
    found, start = np.empty_like(expected), 0
    while start < len(crops):
        for count in BATCHES:
            part = slice(start, start + count)
            if len(crops[part]):
                found[part] = np.concatenate(engine.infer(crops[part]), axis=1)
            start += count
    differences = np.abs(found - expected)
    return float(differences.mean()), float(differences.max())


def verify(
    engine: Engine, reference: Engine, crops: Crops, precision: Precision, device: str, capability: str | None
) -> Verification:
    """What to write into the engine's manifest. Raises `ParityError` for an engine that strays too far.

    `device` and `capability` are what the engine runs on.
    """
    mean, largest = compare(engine, reference, crops)
    allowed = TOLERANCES[precision]
    if not (mean <= allowed.mean and largest <= allowed.largest):  # which holds for what is no number, too
        raise ParityError(
            f"the engine does not say what its network says: probabilities differ by {mean:.1e} on average and "
            f"{largest:.1e} at worst, where {allowed.mean:.0e} and {allowed.largest:.0e} are allowed for {precision}; "
            "try another --precision, and report it with the versions that `kiosk doctor` prints"
        )
    return Verification(
        device=device,
        capability=capability,
        chips=len(crops),
        largest_difference=round(largest, 6),
        mean_difference=round(mean, 6),
    )
