"""The recipes say what they are, and come back from JSON as they went in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from trainer.training.recipe import DEFAULT, PAPER, RECIPES, Recipe


def test_the_papers_recipe_is_the_papers() -> None:
    assert (PAPER.optimizer, PAPER.momentum, PAPER.weight_decay) == ("sgd", 0.9, 0.01)
    assert (PAPER.batch, PAPER.epochs, PAPER.rate, PAPER.schedule) == (25, 100, 0.002, "plateau")
    assert (PAPER.batch_norm, PAPER.standardise, PAPER.mixed_precision) == (False, False, False)
    ours = {"average_decay", "clip", "gender_smoothing", "age_doubt", "balance", "mixup"}
    assert not any(getattr(PAPER, name) for name in ours)
    assert PAPER.gender_weight == 1


@pytest.mark.parametrize("recipe", [*RECIPES.values(), replace(PAPER, augmentation=None)])
def test_a_recipe_goes_to_json_and_back(recipe: Recipe) -> None:
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("epochs", "many", "epochs: "),
        ("schedule", "never", "schedule: "),
        ("mystery", 1, "mystery: "),
        ("augmentation", {"shift": "x"}, "augmentation.*shift: "),
    ],
)
def test_a_recipe_that_is_none_is_refused_by_key(key: str, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Recipe.from_dict({**DEFAULT.to_dict(), key: value})


def test_the_rate_rises_to_its_peak_and_falls_to_nothing() -> None:
    recipe = replace(DEFAULT, rate=0.1, warm_up=0.25)
    rates = [recipe.rate_at(step / 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.004)
    assert rates[25] == max(rates) == pytest.approx(0.1)
    assert rates[:26] == sorted(rates[:26])
    assert rates[25:] == sorted(rates[25:], reverse=True)
    assert rates[100] == pytest.approx(0)


def test_a_run_may_start_at_its_peak_rate() -> None:
    assert replace(DEFAULT, rate=0.1, warm_up=0).rate_at(0) == 0.1
