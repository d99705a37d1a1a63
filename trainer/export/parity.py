"""Compares an engine's probabilities with those of its ONNX file, which ONNX Runtime runs on the CPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiosk.common.errors import KioskError
from kiosk.inference import Crops, Engine
from kiosk.inference.manifest import Precision, Verification

BATCHES = (1, 3, 8)
"""Crops in a call, in turn: an engine may be right for one face and wrong for several."""


@dataclass(frozen=True)
class Tolerance:
    """Allowed differences of a probability: mean and largest over all crops."""

    mean: float
    largest: float


TOLERANCES: dict[Precision, Tolerance] = {
    "fp32": Tolerance(mean=1e-4, largest=2e-3),
    "fp16": Tolerance(mean=2e-3, largest=3e-2),
    "int8": Tolerance(mean=1e-2, largest=2.5e-1),
}
"""float32 differs by the order of its sums; float16 has three digits.

In eight bits, a value that is rounded up in place of down changes every layer after it. So a single crop may differ by
much."""


class ParityError(KioskError):
    """An engine's probabilities differ too much from its network's."""


def compare(engine: Engine, reference: Engine, crops: Crops) -> tuple[float, float]:
    """Returns the mean and the largest difference of a probability, over `(n, 1, 75, 75) float32` crops."""
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
    """Compares an engine with its reference, and returns the entry for the engine's manifest.

    `device` and `capability` name the device that runs the engine. Raises `ParityError` if a difference is over
    `TOLERANCES`.
    """
    mean, largest = compare(engine, reference, crops)
    allowed = TOLERANCES[precision]
    if not (mean <= allowed.mean and largest <= allowed.largest):  # written so that NaN is refused, too
        raise ParityError(
            f"the engine's probabilities differ from its network's by {mean:.1e} on average and {largest:.1e} at most, "
            f"where {allowed.mean:.0e} and {allowed.largest:.0e} are allowed for {precision}: "
            "try another --precision, and report this with the versions that `kiosk doctor` prints"
        )
    return Verification(
        device=device,
        capability=capability,
        chips=len(crops),
        largest_difference=round(largest, 6),
        mean_difference=round(mean, 6),
    )
