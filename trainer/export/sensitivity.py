"""Finds the layers that must stay in float32 so that a network keeps its accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kiosk.estimate import MeasuredAccuracy
from trainer.evaluation.metrics import TASKS
from trainer.evaluation.predict import Predictions


@dataclass(frozen=True, order=True)
class Loss:
    """The cost of fewer bits on the same faces. The smaller of two losses is the better one."""

    accuracy: float
    """The largest loss of any task, as a share of the faces."""
    distance: float
    """Mean difference of a probability: it decides between equal losses of accuracy."""

    @classmethod
    def between(
        cls,
        predicted: tuple[Predictions, Predictions],
        accuracy: tuple[MeasuredAccuracy, MeasuredAccuracy],
    ) -> Loss:
        """Returns the loss. Each argument is a pair: of the float32 network, and of the one with fewer bits."""
        before, after = accuracy
        lost = max(getattr(before, task) - getattr(after, task) for task in TASKS)
        float32, fewer = predicted
        distance = np.abs(float32.gender - fewer.gender).mean() + np.abs(float32.age - fewer.age).mean()
        return cls(round(lost, 4), float(distance))  # the digits that accuracy has


@dataclass(frozen=True)
class KeptLayers:
    """Layers that stay in float32, and the resulting network."""

    content: bytes
    layers: tuple[str, ...]
    """In the order in which they were chosen: the one that cost most first."""
    losses: tuple[float, ...]
    """The largest loss of any task: with no layer in float32, and after each of `layers`."""


def keep_float32_until_accurate(
    attempt: Callable[[tuple[str, ...]], bytes],
    loss_of: Callable[[bytes], Loss],
    layers: Sequence[str],
    allowed: float,
) -> KeptLayers:
    """Keeps layers in float32, one at a time, until no task loses more than `allowed` (a share of the faces).

    `attempt` quantises the network except for the named layers. In each step every remaining layer is tried, and the
    one with the smallest loss is kept. With all layers in float32 nothing is lost.
    """
    content = attempt(())
    kept, losses = KeptLayers(content, (), ()), [loss_of(content)]
    while losses[-1].accuracy > allowed and len(kept.layers) < len(layers):
        tried = [(*kept.layers, layer) for layer in layers if layer not in kept.layers]
        losses.append(Loss(float("inf"), 0))
        for some in tried:
            content = attempt(some)
            if (loss := loss_of(content)) < losses[-1]:
                losses[-1], kept = loss, KeptLayers(content, some, ())
    return KeptLayers(kept.content, kept.layers, tuple(loss.accuracy for loss in losses))
