"""Training learns, stops and goes on without a trace, and never destroys a run."""

from __future__ import annotations

import importlib
import itertools
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.trainer import made_up
from tests.trainer.made_up import TinyNet, same_weights
from trainer.augment import Augmentation
from trainer.prepared import PreparedDataError, Split
from trainer.train import Recipe, RunError, load_network, load_settings, neighbourly, train

STEPS = 4
RECIPE = Recipe(epochs=3, batch=24, peak_rate=0.05, average_decay=0.8, augmentation=Augmentation(shift=1, turn=2))


@pytest.fixture(autouse=True)
def _tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.train.FacialNet", TinyNet)


def log_of(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def interrupt(monkeypatch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """Presses Ctrl-C at the `call`-th call of a function that training uses."""
    module = importlib.import_module("trainer.train")
    real, calls = getattr(module, name), itertools.count(1)

    def pressed(*arguments: object, **named: object) -> object:
        if next(calls) == call:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    monkeypatch.setattr(module, name, pressed)


def refusal(folder: Path, out: Path, recipe: Recipe = RECIPE, *, resume: bool = False) -> str:
    with pytest.raises((RunError, KeyboardInterrupt)) as caught:  # a bare Ctrl-C would end pytest itself
        train(folder, out, recipe, resume=resume)
    assert caught.type is RunError
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_network_learns(made_up_set: Path, tmp_path: Path) -> None:
    accuracy = train(made_up_set, tmp_path / "run", replace(RECIPE, epochs=12))
    log = log_of(tmp_path / "run")
    assert [line["epoch"] for line in log] == list(range(1, 13))
    assert log[-1]["loss"] < 0.7 * log[0]["loss"]
    assert accuracy.faces == 32
    assert accuracy.gender > 0.9
    assert accuracy.age > 0.5
    assert log[-1]["gender"] == accuracy.gender


def test_a_run_tells_what_it_was_made_from(made_up_set: Path, tmp_path: Path) -> None:
    train(made_up_set, tmp_path / "run", replace(RECIPE, epochs=1))
    settings = load_settings(tmp_path / "run")
    assert settings["prepared"] == str(made_up_set)
    recipe = settings["recipe"] | {"augmentation": Augmentation(**settings["recipe"]["augmentation"])}
    assert Recipe(**recipe) == replace(RECIPE, epochs=1)


def test_a_run_can_be_watched_in_tensorboard(made_up_set: Path, tmp_path: Path) -> None:
    train(made_up_set, tmp_path / "run", replace(RECIPE, epochs=1))
    assert len(list((tmp_path / "run").glob("events.out.tfevents.*"))) == 1


def test_the_seed_decides(made_up_set: Path, tmp_path: Path) -> None:
    networks = []
    for name, seed in [("one", 1), ("again", 1), ("two", 2)]:
        train(made_up_set, tmp_path / name, replace(RECIPE, epochs=1, seed=seed))
        networks.append(load_network(tmp_path / name))
    assert same_weights(networks[0], networks[1])
    assert not same_weights(networks[0], networks[2])


def test_the_loaded_network_is_the_averaged_one_ready_for_inference(made_up_set: Path, tmp_path: Path) -> None:
    train(made_up_set, tmp_path / "run", replace(RECIPE, epochs=1))
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    network = load_network(tmp_path / "run")
    assert not network.training
    weight = network.state_dict()["age.weight"]
    assert torch.equal(weight, state["average"]["module.age.weight"])
    assert not torch.equal(weight, state["network"]["age.weight"])


@pytest.mark.parametrize(
    ("interrupted", "call"),
    [
        pytest.param("augmented", 1, id="at the start"),
        pytest.param("augmented", 3, id="in the first epoch"),
        pytest.param("measure", 1, id="while the first epoch is measured"),
        pytest.param("augmented", STEPS + 3, id="in the second epoch"),
        pytest.param("measure", 2, id="while the second epoch is measured"),
    ],
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    made_up_set: Path, tmp_path: Path, interrupted: str, call: int
) -> None:
    uninterrupted = train(made_up_set, tmp_path / "whole", RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, interrupted, call)
        advice = refusal(made_up_set, tmp_path / "resumed")
    assert "continue with the same command and --resume" in advice
    resumed = train(made_up_set, tmp_path / "resumed", RECIPE, resume=True)
    assert resumed == uninterrupted
    assert same_weights(load_network(tmp_path / "resumed"), load_network(tmp_path / "whole"))
    assert log_of(tmp_path / "resumed") == log_of(tmp_path / "whole")


def test_an_interrupted_epoch_leaves_the_one_before(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(monkeypatch, "augmented", STEPS + 3)
    assert refusal(made_up_set, tmp_path / "run").startswith("stopped in epoch 2;")
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["epochs"] == len(log_of(tmp_path / "run")) == 1
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]


def test_a_finished_run_resumes_to_its_own_result(made_up_set: Path, tmp_path: Path) -> None:
    accuracy = train(made_up_set, tmp_path / "run", RECIPE)
    checkpoint = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    assert train(made_up_set, tmp_path / "run", RECIPE, resume=True) == accuracy
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == checkpoint


def test_a_run_is_not_overwritten(made_up_set: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(made_up_set, run, replace(RECIPE, epochs=1))
    before = {path: path.read_bytes() for path in run.iterdir()}
    assert "already holds a run: add --resume" in refusal(made_up_set, run)
    assert {path: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, epochs=9),
        replace(RECIPE, batch=12),
        replace(RECIPE, seed=7),
        replace(RECIPE, augmentation=Augmentation()),
    ],
    ids=["epochs", "batch", "seed", "augmentation"],
)
def test_a_run_is_not_resumed_with_other_options(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: Recipe
) -> None:
    interrupt(monkeypatch, "augmented", STEPS + 1)
    refusal(made_up_set, tmp_path / "run")
    assert "was begun with other options" in refusal(made_up_set, tmp_path / "run", other, resume=True)


def test_a_run_is_not_resumed_on_other_faces(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be tested on faces that it was trained on."""
    others = made_up.save(tmp_path / "others", 160, splits=("test", "train", "train", "calibration", "train"))
    interrupt(monkeypatch, "augmented", STEPS + 1)
    refusal(made_up_set, tmp_path / "run")
    assert str(tmp_path / "run") in refusal(others, tmp_path / "run", resume=True)


def test_where_there_is_no_run_nothing_is_resumed(made_up_set: Path, tmp_path: Path) -> None:
    assert "nothing to resume" in refusal(made_up_set, tmp_path / "run", resume=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("splits", "said"),
    [(("train", "calibration"), "test"), (("test", "calibration"), "training")],
    ids=["nothing to test on", "nothing to train on"],
)
def test_unusable_data_is_refused_before_training(tmp_path: Path, splits: tuple[Split, ...], said: str) -> None:
    folder = made_up.save(tmp_path / "prepared", 160, splits=splits)
    assert said in refusal(folder, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_begins_with_the_network_of_another(made_up_set: Path, tmp_path: Path) -> None:
    train(made_up_set, tmp_path / "first", replace(RECIPE, epochs=1))
    hardly = replace(RECIPE, epochs=1, peak_rate=1e-9, seed=1)
    train(made_up_set, tmp_path / "second", hardly, start_from=tmp_path / "first")
    first, second = load_network(tmp_path / "first"), load_network(tmp_path / "second")
    torch.testing.assert_close(second.age.weight, first.age.weight)
    assert load_settings(tmp_path / "second")["start_from"] == str(tmp_path / "first")


def test_a_run_does_not_begin_with_the_network_of_none(made_up_set: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nowhere is not a run"):
        train(made_up_set, tmp_path / "run", RECIPE, start_from=tmp_path / "nowhere")
    assert not (tmp_path / "run").exists()


def test_a_batch_larger_than_the_set_is_refused(made_up_set: Path, tmp_path: Path) -> None:
    assert "96 training faces do not fill one batch of 97: use --batch" in refusal(
        made_up_set, tmp_path / "run", replace(RECIPE, batch=97)
    )


def test_missing_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PreparedDataError):
        train(tmp_path / "nowhere", tmp_path / "run", RECIPE)
    assert not (tmp_path / "run").exists()


class TestDamagedRun:
    """Whatever became of a run's files, loading and resuming say so in one line."""

    @pytest.fixture
    def run(self, made_up_set: Path, tmp_path: Path) -> Path:
        train(made_up_set, tmp_path / "run", replace(RECIPE, epochs=1))
        return tmp_path / "run"

    def refusals(self, folder: Path, run: Path) -> str:
        with pytest.raises(RunError) as caught:
            load_network(run)
        assert "\n" not in str(caught.value)
        refusal(folder, run, replace(RECIPE, epochs=1), resume=True)
        return str(caught.value)

    @pytest.mark.parametrize("kept", [0, 100, -100])
    def test_a_cut_checkpoint_is_refused(self, made_up_set: Path, run: Path, kept: int) -> None:
        checkpoint = run / "checkpoint.pt"
        checkpoint.write_bytes(checkpoint.read_bytes()[:kept])
        assert "is not a readable checkpoint" in self.refusals(made_up_set, run)

    def test_a_checkpoint_cannot_run_code(self, made_up_set: Path, run: Path, tmp_path: Path) -> None:
        torch.save({"epochs": _MakesFolder(tmp_path / "made")}, run / "checkpoint.pt")
        assert "is not a readable checkpoint" in self.refusals(made_up_set, run)
        assert not (tmp_path / "made").exists()

    @pytest.mark.parametrize(
        "state",
        [
            pytest.param({}, id="empty"),
            pytest.param({"network": {}, "average": {}, "optimizer": {}, "epochs": 1}, id="no weights"),
            pytest.param([1], id="a list"),
            pytest.param(torch.zeros(1), id="a tensor"),
        ],
    )
    def test_a_checkpoint_of_another_kind_is_refused(self, made_up_set: Path, run: Path, state: object) -> None:
        torch.save(state, run / "checkpoint.pt")
        assert "checkpoint.pt" in self.refusals(made_up_set, run)

    def test_a_checkpoint_of_another_architecture_is_refused(self, run: Path) -> None:
        settings = json.loads((run / "run.json").read_text())
        settings["recipe"]["batch_norm"] = False
        (run / "run.json").write_text(json.dumps(settings))
        with pytest.raises(RunError, match="another architecture than"):
            load_network(run)

    @pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"prepared": "x"}', '{"recipe": {}}', "\x00"])
    def test_broken_settings_are_refused(self, made_up_set: Path, run: Path, text: str) -> None:
        (run / "run.json").write_text(text)
        assert "run.json" in self.refusals(made_up_set, run)

    @pytest.mark.parametrize("name", ["checkpoint.pt", "run.json"])
    def test_a_missing_file_is_named(self, run: Path, name: str) -> None:
        (run / name).unlink()
        with pytest.raises(RunError, match=name):
            load_network(run)


class _MakesFolder:
    """Unpickled without care, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_the_rate_rises_to_its_peak_and_falls_to_nothing() -> None:
    recipe = Recipe(peak_rate=0.1, warm_up=0.25)
    rates = [recipe.rate(step / 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.004)
    assert rates[25] == max(rates) == pytest.approx(0.1)
    assert rates[:26] == sorted(rates[:26])
    assert rates[25:] == sorted(rates[25:], reverse=True)
    assert rates[100] == pytest.approx(0)


def test_a_run_may_start_at_its_peak_rate() -> None:
    assert Recipe(peak_rate=0.1, warm_up=0).rate(0) == 0.1


def test_neighbouring_groups_get_some_of_the_probability() -> None:
    targets = neighbourly(8, 0.12)
    assert targets[0].tolist() == pytest.approx([0.88, 0.12, 0, 0, 0, 0, 0, 0])
    assert targets[3].tolist() == pytest.approx([0, 0, 0.06, 0.88, 0.06, 0, 0, 0])
    assert targets[7].tolist() == pytest.approx([0, 0, 0, 0, 0, 0, 0.12, 0.88])


def test_without_spread_the_label_is_all_there_is() -> None:
    assert torch.equal(neighbourly(8, 0), torch.eye(8))
