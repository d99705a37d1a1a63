"""Recipes: everything besides the data that decides the result of a run.

`paper` follows the paper exactly: SGD with momentum 0.9 and weight decay 0.01, batches of 25, 100 epochs, a learning
rate that is reduced when the loss stops falling, and the sum of two cross-entropies. The paper's introduction starts
at a learning rate of 0.01, its model section at 0.002, which its search chose.

`default` is this project's own. docs/training.md says what it adds to the same network and what each part gained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from kiosk.common.strict_model import first_problem
from trainer.training.augment import Augmentation

_OLD_NAMES = {
    "batch": "batch_size",
    "rate": "lr",
    "decay_offsets": "decay_bias_and_norm",
    "standardise": "normalise_input",
    "average_decay": "ema_decay",
    "clip": "max_grad_norm",
    "age_doubt": "label_noise_std",
}
"""The fields' names in runs of version 0.2.0, and what they are called now."""


@dataclass(frozen=True)
class Recipe:
    """The settings of a training run. All are plain values, so that a run's folder can record them."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    epochs: int
    batch_size: int
    lr: float
    """The highest learning rate."""

    schedule: Literal["plateau", "one-cycle"]
    """`plateau` divides the learning rate by ten when the training loss has not fallen for ten epochs. `one-cycle`
    raises it along a cosine and lowers it along another (Smith and Topin, 2017)."""

    optimizer: Literal["sgd", "adamw"]
    weight_decay: float
    decay_bias_and_norm: bool
    """Whether weight decay also applies to biases and to the scales of batch normalisation."""

    batch_norm: bool
    normalise_input: bool
    """`batch_norm` and `normalise_input` are options of `trainer.facialnet.FacialNet`."""

    mixed_precision: bool
    """Whether to multiply in 16 bits: bfloat16 where the hardware has it, else float16 with scaled losses."""

    augmentation: Augmentation | None
    momentum: float = 0.9
    warm_up: float = 0.1
    """The share of a one-cycle run in which the learning rate rises."""

    ema_decay: float = 0.0
    """The decay per step of the exponential moving average of the weights; 0 keeps no average."""

    max_grad_norm: float = 0.0
    """Longer gradients are scaled down to this norm; 0 scales none."""

    gender_weight: float = 1.0
    """The weight of the gender loss; the age loss has weight 1. Two classes give smaller losses than eight."""

    gender_smoothing: float = 0.0
    """Label smoothing of the gender: the share of the target that is spread evenly over both genders."""

    label_noise_std: float = 0.0
    """The standard deviation of an age label's error, as a share of the age. It spreads targets into other groups."""

    balance: float = 0.0
    """How much more often rare kinds of faces (age group and gender) are drawn: 0 as they occur, 1 all equally."""

    mixup: float = 0.0
    """The parameter of the beta distribution that mixes pairs of crops and targets (Zhang, 2018); 0 mixes none."""

    seed: int = 0

    def lr_at(self, progress: float) -> float:
        """Returns the one-cycle learning rate at `progress`, 0 to 1, of the run."""
        if progress < self.warm_up:
            return self.lr * (0.04 + 0.96 * (1 - math.cos(math.pi * progress / self.warm_up)) / 2)
        return self.lr * (1 + math.cos(math.pi * (progress - self.warm_up) / (1 - self.warm_up))) / 2

    def to_dict(self) -> dict[str, Any]:
        """Returns the recipe as plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> Recipe:
        """Returns the recipe that `to_dict` wrote, in this version or in 0.2.0. Raises `ValueError`."""
        if isinstance(data, Mapping):
            data = {_OLD_NAMES.get(key, key): value for key, value in data.items()}
        try:
            return TypeAdapter(cls).validate_python(data)
        except ValidationError as error:
            raise ValueError(first_problem(error)) from error


PAPER = Recipe(
    epochs=100,
    batch_size=25,
    lr=0.002,
    schedule="plateau",
    optimizer="sgd",
    weight_decay=0.01,
    decay_bias_and_norm=True,
    batch_norm=False,
    normalise_input=False,
    mixed_precision=False,
    augmentation=Augmentation(),
)

DEFAULT = Recipe(
    epochs=50,
    batch_size=128,
    lr=0.002,
    schedule="one-cycle",
    optimizer="adamw",
    weight_decay=0.05,
    decay_bias_and_norm=False,
    batch_norm=True,
    normalise_input=True,
    mixed_precision=True,
    augmentation=Augmentation(),
    ema_decay=0.999,
    max_grad_norm=2.0,
    gender_weight=1.5,
    gender_smoothing=0.05,
    label_noise_std=0.07,
    balance=0.5,
    mixup=0.2,
)

RECIPES = {"paper": PAPER, "default": DEFAULT}
