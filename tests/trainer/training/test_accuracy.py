"""Accuracy on worked examples, unknown labels left out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.fakes import made_up
from trainer.facialnet import Logits
from trainer.training.accuracy import Accuracy, Fit, compute_accuracy
from trainer.training.augment import centre_crops
from trainer.training.batches import Batch
from trainer.training.infer import logits_of

LABELS = np.array([0, 1, 1, 0, 1, 0])
AGES = np.array([0, 3, 3, 3, 7, 7])


def scores(*answers: int, classes: int) -> Tensor:
    """Logits that answer so."""
    return torch.eye(classes)[list(answers)] * 5 - 2


def shares(accuracy: Accuracy) -> tuple[int, float | None, float | None, float | None]:
    return accuracy.faces, accuracy.gender, accuracy.age, accuracy.age_within_one


def test_a_worked_example() -> None:
    gender = scores(0, 1, 0, 0, 1, 1, classes=2)  # four of six right
    age = scores(0, 3, 4, 2, 5, 0, classes=8)  # two right, two beside, two far away
    assert shares(compute_accuracy(Logits(gender, age), LABELS, AGES)) == (6, 0.6667, 0.3333, 0.6667)


def test_all_right_and_all_wrong() -> None:
    right = compute_accuracy(Logits(scores(*LABELS, classes=2), scores(*AGES, classes=8)), LABELS, AGES)
    assert shares(right) == (6, 1.0, 1.0, 1.0)
    wrong = Logits(scores(*(1 - LABELS), classes=2), scores(4, 0, 0, 0, 0, 0, classes=8))
    assert shares(compute_accuracy(wrong, LABELS, AGES)) == (6, 0.0, 0.0, 0.0)


def test_unknown_labels_do_not_count() -> None:
    logits = Logits(scores(0, 0, 0, classes=2), scores(1, 1, 1, classes=8))
    accuracy = compute_accuracy(logits, np.array([0, -1, 1]), np.array([-1, -1, 1]))
    assert shares(accuracy) == (3, 0.5, 1.0, 1.0)


def test_of_what_is_unknown_there_is_no_share() -> None:
    accuracy = compute_accuracy(Logits(scores(0, classes=2), scores(1, classes=8)), np.array([-1]), np.array([-1]))
    assert (shares(accuracy), accuracy.gender_loss, accuracy.age_loss) == ((1, None, None, None), None, None)
    assert str(accuracy) == "gender –, age group –, within one – of 1 faces"


def test_losses_are_mean_negative_log_likelihoods() -> None:
    even = Logits(torch.zeros(2, 2), torch.zeros(2, 8))
    accuracy = compute_accuracy(even, np.array([0, 1]), np.array([5, -1]))
    assert accuracy.gender_loss == pytest.approx(math.log(2), abs=1e-4)
    assert accuracy.age_loss == pytest.approx(math.log(8), abs=1e-4)


def test_accuracy_reads_as_a_sentence() -> None:
    accuracy = Accuracy(6, 0.6667, 0.3333, 1.0, 0.5, 1.5)
    assert str(accuracy) == "gender 66.7%, age group 33.3%, within one 100.0% of 6 faces"


def test_a_fit_counts_what_is_known() -> None:
    fit = Fit()
    targets = Batch(torch.zeros(2, 1, 75, 75), torch.tensor([[1.0, 0], [0, 0]]), torch.eye(8)[[3, 4]])
    fit.add(torch.tensor(2.0), Logits(scores(0, 0, classes=2), scores(3, 3, classes=8)), targets)
    fit.add(torch.tensor(1.0), Logits(scores(1, 0, classes=2), scores(3, 4, classes=8)), targets)
    assert fit.shares == {"loss": 1.5, "gender": 0.5, "age": 0.75}


def test_logits_are_those_of_the_middles_without_dropout() -> None:
    torch.manual_seed(0)
    network = made_up.TinyNet(batch_norm=True).train()
    rng = np.random.default_rng(0)
    crops = np.stack([made_up.crop_of(label, rng) for label in made_up.labels_of(5)])
    logits = logits_of(network, crops)
    assert network.training
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(centre_crops(crops)))
    torch.testing.assert_close(logits, expected)


def test_large_sets_are_measured_in_parts() -> None:
    torch.manual_seed(0)
    crops = np.random.default_rng(0).integers(0, 256, (300, 99, 99), dtype=np.uint8)
    network = made_up.TinyNet().eval()
    with torch.no_grad():
        expected = network(torch.from_numpy(centre_crops(crops)))
    torch.testing.assert_close(logits_of(network, crops), expected)
