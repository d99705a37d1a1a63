"""Runs a network on stored crops: the checkpoint of a run, or any engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiosk.common.errors import KioskError
from kiosk.estimate import AgeGroup
from kiosk.inference import Engine, load_exactly
from kiosk.inference.manifest import Temperatures, manifest_path
from trainer.training.augment import centre_crops

BATCH = 256
"""Crops in a call."""


class PredictError(KioskError):
    """There is no network at a path."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Calibrated probabilities, and the network that they come from."""

    source: str
    """Description of the network for the reader, without its folder."""
    kind: Literal["engine", "run"]
    gender: NDArray[np.float64]
    """`(n, 2)`, in the order of the engine's gender labels. Each row sums to 1."""
    age: NDArray[np.float64]
    """`(n, groups)`, youngest group first. Each row sums to 1."""
    groups: tuple[AgeGroup, ...]
    temperatures: Temperatures
    """The logits were divided by these."""


def predict(source: Path, crops: NDArray[np.uint8], rows: NDArray[np.integer]) -> Predictions:
    """Returns the probabilities of an engine's file, or of a run's folder, for some rows of stored crops.

    `crops` is `(m, 99, 99) uint8`. It may be mapped from a file of any size, because it is read in batches. `rows` has
    at least one index. torch is imported for a run only. Raises `PredictError`, `ManifestError`, `EngineError` or
    `RunError`.
    """
    if source.is_dir():
        return _by_run(source, crops, rows)
    if not source.is_file() or not manifest_path(source).is_file():
        raise PredictError(
            f"{source} is neither a run nor an engine: name a folder that `trainer train` wrote, "
            "or an engine's file with its manifest beside it"
        )
    engine = load_exactly(source)
    try:
        return predict_with(engine, f"{source.name} (SHA-256 {engine.manifest.sha256[:12]}…)", crops, rows)
    finally:
        engine.close()


def predict_with(
    engine: Engine, source: str, crops: NDArray[np.uint8], rows: NDArray[np.integer] | None = None
) -> Predictions:
    """Returns the probabilities of a loaded engine for `(m, 99, 99) uint8` stored crops, or for some rows of them.

    `source` is the engine's description for the reader. Raises `EngineError`.
    """
    batches = _batches(crops, np.arange(len(crops)) if rows is None else rows)
    parts = [engine.infer(centre_crops(batch)) for batch in batches]
    gender, age = (np.concatenate(head).astype(np.float64) for head in zip(*parts, strict=True))
    return Predictions(source, "engine", gender, age, engine.manifest.groups, engine.manifest.temperatures)


def _by_run(source: Path, crops: NDArray[np.uint8], rows: NDArray[np.integer]) -> Predictions:
    from trainer.evaluation.temperature import fit_run_temperatures  # it imports torch, which engines do not need
    from trainer.training.infer import logits_of
    from trainer.training.run_folder import load_network, load_settings

    groups = load_settings(source).groups
    network = load_network(source)
    temperatures = fit_run_temperatures(source, network)
    parts = [logits_of(network, batch) for batch in _batches(crops, rows)]
    gender, age = (np.concatenate([part.numpy() for part in head]) for head in zip(*parts, strict=True))
    return Predictions(
        source=f"run {source.resolve().name}",
        kind="run",
        gender=softmax(gender.astype(np.float64) / temperatures.gender),
        age=softmax(age.astype(np.float64) / temperatures.age),
        groups=groups,
        temperatures=temperatures,
    )


def _batches(crops: NDArray[np.uint8], rows: NDArray[np.integer]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(rows), BATCH):
        yield crops[rows[start : start + BATCH]]


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns `(n, classes)` probabilities from `(n, classes)` logits."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
