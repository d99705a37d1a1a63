"""Accuracy on worked examples, and that measuring leaves the network as it was."""

from __future__ import annotations

import numpy as np
import torch

from tests.trainer import made_up
from trainer.accuracy import Accuracy, accuracy_of, logits_of
from trainer.augment import centred
from trainer.facialnet import normalised

LABELS = np.array([0, 1, 1, 0, 1, 0])
AGES = np.array([0, 3, 3, 3, 7, 7])


def scores(*answers: int, classes: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Scores that answer so."""
    return np.eye(classes)[list(answers)] * 5 - 2


def test_a_worked_example() -> None:
    gender = scores(0, 1, 0, 0, 1, 1, classes=2)  # four of six right
    age = scores(0, 3, 4, 2, 5, 0, classes=8)  # two right, two beside, two far away
    assert accuracy_of(gender, age, LABELS, AGES) == Accuracy(6, 0.6667, 0.3333, 0.6667)


def test_all_right_and_all_wrong() -> None:
    right = accuracy_of(scores(*LABELS, classes=2), scores(*AGES, classes=8), LABELS, AGES)
    assert right == Accuracy(6, 1.0, 1.0, 1.0)
    wrong = accuracy_of(scores(*(1 - LABELS), classes=2), scores(4, 0, 0, 0, 0, 0, classes=8), LABELS, AGES)
    assert wrong == Accuracy(6, 0.0, 0.0, 0.0)


def test_accuracy_reads_as_a_sentence() -> None:
    assert str(Accuracy(6, 0.6667, 0.3333, 1.0)) == "gender 66.7%, age group 33.3%, within one 100.0% of 6 faces"


def test_logits_are_those_of_the_middles_without_dropout() -> None:
    torch.manual_seed(0)
    network = made_up.TinyNet(batch_norm=True).train()
    rng = np.random.default_rng(0)
    chips = np.stack([made_up.chip_of(label, rng) for label in made_up.labels_of(5)])
    logits = logits_of(network, chips)
    assert network.training
    with torch.no_grad():
        expected = network.eval()(normalised(torch.from_numpy(centred(chips))))
    torch.testing.assert_close(logits, expected)


def test_large_sets_are_measured_in_parts() -> None:
    torch.manual_seed(0)
    chips = np.random.default_rng(0).integers(0, 256, (300, 99, 99), dtype=np.uint8)
    network = made_up.TinyNet().eval()
    with torch.no_grad():
        expected = network(normalised(torch.from_numpy(centred(chips))))
    torch.testing.assert_close(logits_of(network, chips), expected)
