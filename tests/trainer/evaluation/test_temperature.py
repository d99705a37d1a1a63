"""Tests of temperature scaling: a fitted temperature makes confidence equal to accuracy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.fakes import made_up
from trainer.data.faces import Faces
from trainer.evaluation.temperature import CalibrationError, fit_temperature, fit_temperatures
from trainer.training.infer import logits_of


def draw_logits(count: int = 20_000, classes: int = 8) -> tuple[Tensor, Tensor]:
    """Returns logits, and labels drawn at random with exactly their probabilities."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(count, classes, generator=generator)
    return logits, torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("classes", [2, 8])
def test_a_known_temperature_is_found(true_temperature: float, classes: int) -> None:
    logits, labels = draw_logits(classes=classes)
    assert fit_temperature(logits * true_temperature, labels) == pytest.approx(true_temperature, rel=0.05)


def test_the_fitted_temperature_has_the_least_loss() -> None:
    logits, labels = draw_logits(2000)
    fitted = fit_temperature(3 * logits, labels)

    def loss(temperature: float) -> float:
        return float(torch.nn.functional.cross_entropy(3 * logits / temperature, labels))

    assert loss(fitted) < min(loss(0.95 * fitted), loss(1.05 * fitted), loss(1.0))


def test_fitting_does_not_change_the_logits() -> None:
    logits, labels = draw_logits(200)
    before = logits.clone()
    fit_temperature(logits, labels)
    assert torch.equal(logits, before)


@pytest.mark.parametrize("right", [True, False], ids=["always right", "always wrong"])
def test_all_right_or_all_wrong_gives_a_usable_temperature(right: bool) -> None:
    """The manifest stores four decimals and refuses 0, and the likeliest answer must not change."""
    labels = torch.tensor([0, 1, 1, 0, 1])
    logits = 4 * torch.nn.functional.one_hot(labels if right else 1 - labels, 2).float()
    temperature = round(fit_temperature(logits, labels), 4)
    assert 0 < temperature < float("inf")
    assert torch.equal((logits / temperature).softmax(dim=1).argmax(dim=1), logits.argmax(dim=1))


def test_a_head_is_calibrated_on_the_faces_whose_label_is_known(tmp_path: Path) -> None:
    """Half of the faces have no gender: gender's temperature is fitted on the other half."""
    torch.manual_seed(0)
    network = made_up.TinyNet().eval()
    faces = Faces.load([made_up.save(tmp_path, 320)])
    rows = faces.rows("calibration")
    hidden = set(rows[::2].tolist())
    labels = [replace(label, gender="") if row in hidden else label for row, label in enumerate(faces.labels)]
    partly = Faces([replace(faces.sets[0], labels=tuple(labels))])
    logits = logits_of(network, faces.crops(rows))
    known = torch.from_numpy(np.isin(rows, list(hidden), invert=True))
    expected = fit_temperature(logits.gender[known], torch.from_numpy(faces.genders[rows])[known])
    temperatures = fit_temperatures(network, partly)
    assert temperatures.gender == pytest.approx(expected, abs=1e-4)
    assert temperatures.age == fit_temperatures(network, faces).age


def test_data_without_calibration_faces_is_an_error(tmp_path: Path) -> None:
    faces = Faces.load([made_up.save(tmp_path, 64, splits=("train", "test"))])
    with pytest.raises(CalibrationError, match="has no faces for calibration"):
        fit_temperatures(made_up.TinyNet(), faces)
