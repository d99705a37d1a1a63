"""Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017).

A network is often too confident, or not confident enough where its targets were smoothed. Its logits are divided by one
number, the temperature, which is fitted on faces that it was not trained on. Then a probability of 80 % is right four
times in five. The likeliest answer does not change.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from kiosk.common.errors import KioskError
from kiosk.inference.manifest import Temperatures
from trainer.data.faces import Faces
from trainer.training.infer import logits_of
from trainer.training.run_folder import load_faces

_LOWEST, _HIGHEST = 1e-3, 1e3
_HALVINGS = 60


class CalibrationError(KioskError):
    """There are no faces to fit a temperature on."""


def fit_run_temperatures(run: Path, network: nn.Module) -> Temperatures:
    """Fits the temperatures of a run's network on the calibration faces of the run's own data.

    Raises `CalibrationError`, `RunError` and `PreparedDataError`.
    """
    return fit_temperatures(network, load_faces(run))


def fit_temperatures(network: nn.Module, faces: Faces) -> Temperatures:
    """Fits the temperatures of both heads on the calibration faces; 1 for a head without any known label.

    Raises `CalibrationError` if there are no calibration faces.
    """
    rows = faces.rows("calibration")
    if not len(rows):
        raise CalibrationError(f"{faces.name} has no faces for calibration: it is too small, prepare more faces")
    logits = logits_of(network, faces.crops(rows))
    return Temperatures(
        gender=_temperature(logits.gender, torch.from_numpy(faces.genders[rows])),
        age=_temperature(logits.age, torch.from_numpy(faces.ages[rows])),
    )


def _temperature(logits: Tensor, labels: Tensor) -> float:
    known = labels >= 0
    return round(fit_temperature(logits[known], labels[known]), 4) if known.any() else 1.0


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Returns the temperature with the least negative log-likelihood, from `(n, classes)` logits and `(n,)` labels.

    The likelihood is convex in the inverse of the temperature. So its slope changes sign once, and bisection finds that
    point between 0.001 and 1000. If all answers are right, or all are wrong, the result is one end of this range.
    """
    logits = logits.double()
    labelled = logits.gather(1, labels[:, None])[:, 0]
    low, high = _LOWEST, _HIGHEST
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        expected = (torch.softmax(logits / middle, dim=1) * logits).sum(dim=1)
        if (expected - labelled).mean() > 0:  # too confident
            low = middle
        else:
            high = middle
    return (low * high) ** 0.5
