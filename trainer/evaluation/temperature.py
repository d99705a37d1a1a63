"""Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017).

A network is surer than it is right, or less sure where its targets were smoothed. Dividing its
logits by one number, fitted on faces it was not trained on, makes its probabilities mean what they
say; which answer is likeliest does not change.
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
    """Data that no temperature can be fitted on."""


def temperatures_for(run: Path, network: nn.Module) -> Temperatures:
    """A run's temperatures, by the faces of its own data that are kept for calibration."""
    return temperatures_of(network, load_faces(run))


def temperatures_of(network: nn.Module, faces: Faces) -> Temperatures:
    """The temperatures of both heads; 1 for a head whose answer is known of no face. Raises `CalibrationError`."""
    rows = faces.rows("calibration")
    if not len(rows):
        raise CalibrationError(f"{faces.name} keeps no faces for calibration: it is too small, prepare more faces")
    logits = logits_of(network, faces.crops(rows))
    return Temperatures(
        gender=_temperature(logits.gender, torch.from_numpy(faces.genders[rows])),
        age=_temperature(logits.age, torch.from_numpy(faces.ages[rows])),
    )


def _temperature(logits: Tensor, labels: Tensor) -> float:
    known = labels >= 0
    return round(fit_temperature(logits[known], labels[known]), 4) if known.any() else 1.0


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """(n, classes) logits and (n,) labels → the temperature of least negative log-likelihood.

    The likelihood is convex in the temperature's inverse, so its slope changes sign once: halving
    the range finds where. Labels that are all right, or all wrong, end at the range's end.
    """
    logits = logits.double()
    labelled = logits.gather(1, labels[:, None])[:, 0]
    low, high = _LOWEST, _HIGHEST
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        expected = (torch.softmax(logits / middle, dim=1) * logits).sum(dim=1)
        if (expected - labelled).mean() > 0:  # surer than it is right
            low = middle
        else:
            high = middle
    return (low * high) ** 0.5
