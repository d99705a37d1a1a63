"""Which layers must stay in float32 for a network to keep its accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kiosk.estimate import MeasuredAccuracy
from trainer.evaluation.metrics import TASKS
from trainer.evaluation.predict import Predictions


@dataclass(frozen=True, order=True)
class Loss:
    """What fewer bits cost on the same faces. Of two, the lesser is the better one."""

    accuracy: float
    """The most that any task lost, as a share of the faces."""
    distance: float
    """The mean difference of a probability: it tells apart what costs the same few faces."""

    @classmethod
    def between(
        cls,
        predicted: tuple[Predictions, Predictions],
        accuracy: tuple[MeasuredAccuracy, MeasuredAccuracy],
    ) -> Loss:
        """Each a pair of float32's and that of fewer bits."""
        before, after = accuracy
        lost = max(getattr(before, task) - getattr(after, task) for task in TASKS)
        float32, fewer = predicted
        distance = np.abs(float32.gender - fewer.gender).mean() + np.abs(float32.age - fewer.age).mean()
        return cls(round(lost, 4), float(distance))  # as accurate as what was measured


@dataclass(frozen=True)
class Kept:
    """Layers left in float32, and the network that came out."""

    content: bytes
    layers: tuple[str, ...]
    """In the order in which they were found, that is, the one that cost most first."""
    losses: tuple[float, ...]
    """The most that any task lost: with no layer left in float32, and after each of them."""


def keep_float_until_accurate(
    attempt: Callable[[tuple[str, ...]], bytes],
    loss_of: Callable[[bytes], Loss],
    layers: Sequence[str],
    allowed: float,
) -> Kept:
    """Leaves layers in float32, one at a time, until no task loses more than `allowed`.

    `attempt` makes the network with some layers left. Each time every other layer is tried, and the one
    stays whose network is best; with all of them left, nothing is lost.
    """
    content = attempt(())
    kept, losses = Kept(content, (), ()), [loss_of(content)]
    while losses[-1].accuracy > allowed and len(kept.layers) < len(layers):
        tried = [(*kept.layers, layer) for layer in layers if layer not in kept.layers]
        losses.append(Loss(float("inf"), 0))
        for some in tried:
            content = attempt(some)
            if (loss := loss_of(content)) < losses[-1]:
                losses[-1], kept = loss, Kept(content, some, ())
    return Kept(kept.content, kept.layers, tuple(loss.accuracy for loss in losses))
