"""A temperature makes probabilities mean what they say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainer.calibrate import fit_temperature


def drawn(count: int = 20_000, classes: int = 8) -> tuple[Tensor, Tensor]:
    """Logits, and labels drawn from exactly the probabilities that they say."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(count, classes, generator=generator)
    return logits, torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("classes", [2, 8])
def test_a_known_temperature_is_found(true_temperature: float, classes: int) -> None:
    logits, labels = drawn(classes=classes)
    assert fit_temperature(logits * true_temperature, labels) == pytest.approx(true_temperature, rel=0.05)


def test_the_fitted_temperature_is_the_best_there_is() -> None:
    logits, labels = drawn(2000)
    fitted = fit_temperature(3 * logits, labels)

    def loss(temperature: float) -> float:
        return float(torch.nn.functional.cross_entropy(3 * logits / temperature, labels))

    assert loss(fitted) < min(loss(0.95 * fitted), loss(1.05 * fitted), loss(1.0))


def test_the_logits_stay_as_they_are() -> None:
    logits, labels = drawn(200)
    before = logits.clone()
    fit_temperature(logits, labels)
    assert torch.equal(logits, before)


@pytest.mark.parametrize("right", [True, False], ids=["always right", "always wrong"])
def test_too_few_faces_to_be_wrong_still_give_a_usable_temperature(right: bool) -> None:
    """Four decimals of it stand in the manifest, which refuses 0; and argmax must not change."""
    labels = torch.tensor([0, 1, 1, 0, 1])
    logits = 4 * torch.nn.functional.one_hot(labels if right else 1 - labels, 2).float()
    temperature = round(fit_temperature(logits, labels), 4)
    assert 0 < temperature < float("inf")
    assert torch.equal((logits / temperature).softmax(dim=1).argmax(dim=1), logits.argmax(dim=1))
