"""The recipes say what they are, and come back from JSON as they went in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from trainer.training.recipe import DEFAULT, PAPER, RECIPES, Recipe


def test_the_papers_recipe_is_the_papers() -> None:
    assert (PAPER.optimizer, PAPER.momentum, PAPER.weight_decay) == ("sgd", 0.9, 0.01)
    assert (PAPER.batch_size, PAPER.epochs, PAPER.lr, PAPER.schedule) == (25, 100, 0.002, "plateau")
    assert (PAPER.batch_norm, PAPER.normalise_input, PAPER.mixed_precision) == (False, False, False)
    ours = {"ema_decay", "max_grad_norm", "gender_smoothing", "label_noise_std", "balance", "mixup"}
    assert not any(getattr(PAPER, name) for name in ours)
    assert PAPER.gender_weight == 1


@pytest.mark.parametrize("recipe", [*RECIPES.values(), replace(PAPER, augmentation=None)])
def test_a_recipe_goes_to_json_and_back(recipe: Recipe) -> None:
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_a_recipe_of_version_0_2_0_is_read() -> None:
    names = {
        "batch_size": "batch",
        "lr": "rate",
        "decay_bias_and_norm": "decay_offsets",
        "normalise_input": "standardise",
        "ema_decay": "average_decay",
        "max_grad_norm": "clip",
        "label_noise_std": "age_doubt",
    }
    old = {names.get(key, key): value for key, value in DEFAULT.to_dict().items()}
    assert names.keys() <= DEFAULT.to_dict().keys()
    assert Recipe.from_dict(json.loads(json.dumps(old))) == DEFAULT


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
    recipe = replace(DEFAULT, lr=0.1, warm_up=0.25)
    rates = [recipe.lr_at(step / 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.004)
    assert rates[25] == max(rates) == pytest.approx(0.1)
    assert rates[:26] == sorted(rates[:26])
    assert rates[25:] == sorted(rates[25:], reverse=True)
    assert rates[100] == pytest.approx(0)


def test_a_run_may_start_at_its_peak_rate() -> None:
    assert replace(DEFAULT, lr=0.1, warm_up=0).lr_at(0) == 0.1
