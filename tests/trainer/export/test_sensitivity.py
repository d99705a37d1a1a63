"""Tests of the search for layers that must stay in float32."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.estimate import MeasuredAccuracy
from tests.fakes.judged import predictions, surely
from trainer.export.sensitivity import KeptLayers, Loss, keep_float32_until_accurate

LAYERS = ("first", "second", "third", "fourth")


def search(cost: dict[str, float], allowed: float = 0.005) -> tuple[KeptLayers, list[tuple[str, ...]]]:
    """Runs the search with a fixed loss for each quantised layer. Returns the result and all attempts in order."""
    tried: list[tuple[str, ...]] = []

    def attempt(kept: tuple[str, ...]) -> bytes:
        tried.append(kept)
        return ",".join(kept).encode()

    def loss_of(content: bytes) -> Loss:
        left = content.decode().split(",")
        lost = sum(share for layer, share in cost.items() if layer not in left)
        return Loss(round(lost, 4), lost)

    return keep_float32_until_accurate(attempt, loss_of, LAYERS, allowed), tried


def test_an_accurate_network_keeps_no_layer_in_float32() -> None:
    kept, tried = search({"second": 0.005})
    assert kept == KeptLayers(b"", (), (0.005,))
    assert tried == [()]


def test_the_layer_that_costs_most_is_kept_first() -> None:
    kept, tried = search({"first": 0.004, "second": 0.01, "third": 0.002, "fourth": 0.03})
    assert kept == KeptLayers(b"fourth,second,first", ("fourth", "second", "first"), (0.046, 0.016, 0.006, 0.002))
    assert tried[1:5] == [(layer,) for layer in LAYERS]
    assert tried[5:8] == [("fourth", layer) for layer in ("first", "second", "third")]


def test_the_search_ends_with_every_layer_in_float32() -> None:
    kept, _ = search(dict.fromkeys(LAYERS, 0.01), allowed=-1.0)
    assert sorted(kept.layers) == sorted(LAYERS)
    assert kept.losses[-1] == 0


def test_probabilities_decide_between_equal_accuracies() -> None:
    losses = {(): Loss(0.01, 3), ("first",): Loss(0.01, 2), ("second",): Loss(0.01, 1)}
    names = {",".join(layers).encode(): layers for layers in losses}
    kept = keep_float32_until_accurate(
        lambda layers: ",".join(layers).encode(),
        lambda content: losses[names[content]] if content in names else Loss(0, 0),
        LAYERS[:2],
        0.005,
    )
    assert kept.layers == ("second", "first")
    assert kept.losses == (0.01, 0.01, 0)


@pytest.mark.parametrize("task", ["gender", "age", "age_within_one"])
def test_the_loss_is_the_largest_of_all_tasks(task: str) -> None:
    before = MeasuredAccuracy(measured_on="these", faces=9, gender=0.9, age=0.6, age_within_one=0.95)
    after = before.model_copy(update={"gender": 0.91, task: getattr(before, task) - 0.02})
    predicted = [predictions(surely([0], 2, sure), surely([3], 8)) for sure in (1.0, 0.75)]
    loss = Loss.between((predicted[0], predicted[1]), (before, after))
    assert loss == Loss(0.02, 0.25)
    assert Loss.between((predicted[0], predicted[0]), (before, before)) == Loss(0, 0)
    assert np.isfinite(loss.distance)
