"""The search tries every rate from the same beginning, on the same part of the faces."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.made_up import TinyNet
from trainer.data.faces import Faces
from trainer.training import lr_search
from trainer.training.lr_search import RATES, Trial, best, search, subset_of
from trainer.training.recipe import DEFAULT
from trainer.training.run_folder import RunError

RECIPE = replace(DEFAULT, batch_size=12, optimizer="sgd", schedule="plateau", augmentation=None, ema_decay=0.0)


@pytest.fixture(autouse=True)
def _tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.training.train.FacialNet", TinyNet)
    monkeypatch.setattr("trainer.training.run_folder.FacialNet", TinyNet)


def test_rates_span_the_papers_range() -> None:
    assert (max(RATES), min(RATES)) == (0.1, 0.001)
    assert {0.01, 0.002} <= set(RATES)


def test_every_rate_is_tried_and_told(made_up_set: Path, tmp_path: Path) -> None:
    trials = list(search(made_up_set, tmp_path / "out", RECIPE, share=0.5, epochs=2))
    assert [trial.rate for trial in trials] == list(RATES)
    assert len({trial.loss for trial in trials}) > 1, "the rate changes nothing"
    facts = json.loads((tmp_path / "out" / "rates.json").read_text())
    assert [trial["rate"] for trial in facts["trials"]] == list(RATES)
    assert facts["best"] == min(trials, key=lambda trial: trial.loss or 99).rate
    assert (tmp_path / "out" / "rates.png").read_bytes().startswith(b"\x89PNG")


def test_a_rate_that_blows_up_is_told_as_such(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lr_search, "RATES", (1e30, 0.01))
    trials = list(search(made_up_set, tmp_path / "out", RECIPE, share=0.5, epochs=1))
    assert trials[0] == Trial(1e30, None, None, None)
    assert trials[1].loss is not None
    facts = json.loads((tmp_path / "out" / "rates.json").read_text(), parse_constant=pytest.fail)
    assert facts["best"] == 0.01


def test_another_share_is_another_search(made_up_set: Path, tmp_path: Path) -> None:
    list(search(made_up_set, tmp_path / "out", RECIPE, share=0.5, epochs=1))
    with pytest.raises(RunError, match=r"started with other options or data.*or delete it"):
        next(search(made_up_set, tmp_path / "out", RECIPE, share=1.0, epochs=1))


def test_an_interrupted_search_goes_on_where_it_stopped(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(search(made_up_set, tmp_path / "whole", RECIPE, share=0.5, epochs=2))
    interrupted = search(made_up_set, tmp_path / "out", RECIPE, share=0.5, epochs=2)
    assert [next(interrupted), next(interrupted)] == whole[:2]
    interrupted.close()
    begun = []
    real = lr_search.train_on

    def count(*given: Any, resume: bool, resume_hint: str) -> object:
        begun.append(resume)
        assert resume_hint == "the same command"
        return real(*given, resume=resume, resume_hint=resume_hint)

    monkeypatch.setattr(lr_search, "train_on", count)
    assert list(search(made_up_set, tmp_path / "out", RECIPE, share=0.5, epochs=2)) == whole
    assert begun == [True, True, *[False] * (len(RATES) - 2)]


def test_a_part_has_fewer_faces_to_train_on_and_all_to_test_on(made_up_set: Path) -> None:
    faces = Faces.load([made_up_set])
    part = subset_of(faces, 0.25, seed=0)
    assert len(part.rows("train")) == 24
    assert len(part.rows("test")) == len(faces.rows("test"))
    assert {label.file for label in part.labels} < {label.file for label in faces.labels}
    assert part.labels == subset_of(faces, 0.25, seed=0).labels
    assert part.labels != subset_of(faces, 0.25, seed=1).labels


def test_the_least_loss_is_the_best_and_a_blown_up_one_never() -> None:
    trials = [Trial(0.1, 0.5, 0.1, None), Trial(0.01, 0.8, 0.4, 2.5), Trial(0.001, 0.9, 0.3, 2.6)]
    assert best(trials) == trials[1]
    assert best(trials[:1]) is None
    assert str(trials[0]) == "rate 0.1: diverged"
    assert str(trials[1]) == "rate 0.01: loss 2.500, gender 80.0%, age 40.0%"
