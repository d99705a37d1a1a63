"""Recipes: everything that a run's result depends on, besides its data.

`paper` is the paper to the letter: SGD with momentum 0.9 and weight decay 0.01, batches of 25, 100
epochs, a learning rate that falls when the loss stops falling, the sum of two cross-entropies. Its
introduction begins at a rate of 0.01, its model section at the 0.002 that its search picked.

`default` is ours. What it adds to the same network, and what each part gave, is in docs/training.md.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from kiosk.common.strict_model import first_problem
from trainer.training.augment import Augmentation


@dataclass(frozen=True)
class Recipe:
    """How to train; plain numbers, so that a run can say what made it."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    epochs: int
    batch: int
    rate: float
    """The highest learning rate."""

    schedule: Literal["plateau", "one-cycle"]
    """`plateau` divides the rate by ten when the training loss has not fallen for ten epochs;
    `one-cycle` raises it along a cosine and lets it fall along another (Smith and Topin, 2017)."""

    optimizer: Literal["sgd", "adamw"]
    weight_decay: float
    decay_offsets: bool
    """Whether weight decay also pulls at offsets and at the scales of normalisation."""

    batch_norm: bool
    standardise: bool
    """The architecture's: see `trainer.facialnet`."""

    mixed_precision: bool
    """Multiplications in 16 bits: bfloat16 where there is such hardware, else float16 with scaled losses."""

    augmentation: Augmentation | None
    momentum: float = 0.9
    warm_up: float = 0.1
    """Share of a one-cycle run in which the rate rises."""

    average_decay: float = 0.0
    """Of the running average of the weights, a step; 0 keeps none."""

    clip: float = 0.0
    """The longest gradient that is followed as it is; 0 follows any."""

    gender_weight: float = 1.0
    """Of the gender's loss in the sum, against the age group's 1: two classes give smaller losses than eight."""

    gender_smoothing: float = 0.0
    """Probability that a gender's target spreads evenly over both."""

    age_doubt: float = 0.0
    """Standard deviation of a label's error, as a share of the age: how far a target reaches into other groups."""

    balance: float = 0.0
    """How far rare kinds of faces (age group and gender) are drawn more often: 0 as they are, 1 all alike."""

    mixup: float = 0.0
    """Beta distribution's parameter by which pairs of crops and their targets are mixed; 0 mixes none (Zhang, 2018)."""

    seed: int = 0

    def rate_at(self, progress: float) -> float:
        """The one-cycle learning rate at `progress` (0…1) through the run."""
        if progress < self.warm_up:
            return self.rate * (0.04 + 0.96 * (1 - math.cos(math.pi * progress / self.warm_up)) / 2)
        return self.rate * (1 + math.cos(math.pi * (progress - self.warm_up) / (1 - self.warm_up))) / 2

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> Recipe:
        """The opposite of `to_dict`. Raises `ValueError`."""
        try:
            return TypeAdapter(cls).validate_python(data)
        except ValidationError as error:
            raise ValueError(first_problem(error)) from error


PAPER = Recipe(
    epochs=100,
    batch=25,
    rate=0.002,
    schedule="plateau",
    optimizer="sgd",
    weight_decay=0.01,
    decay_offsets=True,
    batch_norm=False,
    standardise=False,
    mixed_precision=False,
    augmentation=Augmentation(),
)

DEFAULT = Recipe(
    epochs=50,
    batch=128,
    rate=0.002,
    schedule="one-cycle",
    optimizer="adamw",
    weight_decay=0.05,
    decay_offsets=False,
    batch_norm=True,
    standardise=True,
    mixed_precision=True,
    augmentation=Augmentation(),
    average_decay=0.999,
    clip=2.0,
    gender_weight=1.5,
    gender_smoothing=0.05,
    age_doubt=0.07,
    balance=0.5,
    mixup=0.2,
)

RECIPES = {"paper": PAPER, "default": DEFAULT}
