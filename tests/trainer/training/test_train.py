"""Training learns, stops and goes on without a trace, and never destroys a run."""

from __future__ import annotations

import errno
import importlib
import itertools
import json
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch

from kiosk.estimate import DECADES
from tests.fakes import made_up
from tests.fakes.made_up import TinyNet, same_weights
from trainer.data import prepared
from trainer.data.faces import Faces
from trainer.data.labels import Split
from trainer.data.prepared import PreparedDataError
from trainer.training import train as training
from trainer.training.accuracy import Accuracy
from trainer.training.augment import Augmentation
from trainer.training.recipe import DEFAULT, PAPER, Recipe
from trainer.training.run_folder import RunError, load_network, load_settings

STEPS = 4
RECIPE = replace(
    DEFAULT,
    epochs=3,
    batch_size=24,
    lr=0.02,
    ema_decay=0.8,
    balance=0.0,
    mixup=0.0,
    augmentation=Augmentation(shift=1, turn=2),
)
ALL_OF_IT = replace(RECIPE, balance=0.5, mixup=0.2, max_grad_norm=0.5)
PLATEAU = replace(RECIPE, schedule="plateau", optimizer="sgd", ema_decay=0.0, augmentation=None)


@pytest.fixture(autouse=True)
def _tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.training.train.FacialNet", TinyNet)
    monkeypatch.setattr("trainer.training.run_folder.FacialNet", TinyNet)


def train(folder: Path, out: Path, recipe: Recipe, *, resume: bool = False, start_from: Path | None = None) -> Accuracy:
    return training.train([folder], out, recipe, resume=resume, start_from=start_from)


def log_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def interrupt(monkeypatch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """Presses Ctrl-C at the `call`-th call of a function that training uses."""
    path, name = name.rsplit(".", 1)
    module = importlib.import_module(f"trainer.training.{path}")
    real, calls = getattr(module, name), itertools.count(1)

    def pressed(*arguments: object, **named: object) -> object:
        if next(calls) == call:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    monkeypatch.setattr(module, name, pressed)


def refusal(folder: Path, out: Path, recipe: Recipe = RECIPE, *, resume: bool = False) -> str:
    with pytest.raises((RunError, KeyboardInterrupt)) as caught:  # a bare Ctrl-C would end pytest itself
        train(folder, out, recipe, resume=resume)
    assert issubclass(caught.type, RunError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_network_learns(made_up_set: Path, tmp_path: Path) -> None:
    accuracy = train(made_up_set, tmp_path / "run", replace(RECIPE, epochs=12))
    log = log_of(tmp_path / "run")
    assert [line["epoch"] for line in log] == list(range(1, 13))
    assert log[-1]["train"]["loss"] < 0.7 * log[0]["train"]["loss"]
    assert accuracy.faces == 32
    assert accuracy.gender > 0.9
    assert accuracy.age > 0.5
    assert log[-1]["validation"]["gender"] == accuracy.gender


def test_a_run_tells_what_it_was_made_from(made_up_set: Path, tmp_path: Path) -> None:
    train(made_up_set, tmp_path / "run", replace(RECIPE, epochs=1))
    settings = load_settings(tmp_path / "run")
    assert settings.prepared == (str(made_up_set),)
    assert settings.groups == DECADES
    assert settings.recipe == replace(RECIPE, epochs=1)


def test_a_sheet_shows_what_a_run_learns_from(made_up_set: Path, tmp_path: Path) -> None:
    train(made_up_set, tmp_path / "run", replace(RECIPE, epochs=1))
    sheet = cv2.imread(str(tmp_path / "run" / "views.png"), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    assert sheet.shape == (6 * 79 + 4, 12 * 79 + 4)
    assert 0 < (sheet < 255).mean() < 1


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
    assert torch.equal(weight, state["average"]["age.weight"])
    assert not torch.equal(weight, state["network"]["age.weight"])


@pytest.mark.parametrize(
    ("interrupted", "call"),
    [
        pytest.param("train._loss", 3, id="in the first epoch"),
        pytest.param("train.measure", 1, id="while the first epoch is measured"),
        pytest.param("train._loss", 2 * STEPS + 3, id="in the second epoch"),
        pytest.param("train.measure", 2, id="while the second epoch is measured"),
        pytest.param("train.save_checkpoint", 2, id="between the second epoch's line in the log and its checkpoint"),
    ],
)
@pytest.mark.parametrize("recipe", [RECIPE, ALL_OF_IT, PLATEAU], ids=["default", "all of it", "plateau"])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    made_up_set: Path, tmp_path: Path, interrupted: str, call: int, recipe: Recipe
) -> None:
    uninterrupted = train(made_up_set, tmp_path / "whole", recipe)
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, interrupted, call)
        advice = refusal(made_up_set, tmp_path / "resumed", recipe)
    assert "continue with the same command and --resume" in advice
    resumed = train(made_up_set, tmp_path / "resumed", recipe, resume=True)
    assert resumed == uninterrupted
    assert same_weights(load_network(tmp_path / "resumed"), load_network(tmp_path / "whole"))
    assert log_of(tmp_path / "resumed") == log_of(tmp_path / "whole")


def test_a_full_disk_keeps_the_epoch_before(made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(made_up_set, tmp_path / "whole", RECIPE)
    real, saves = Path.write_bytes, itertools.count(1)

    def write(path: Path, content: bytes) -> int:
        if path.suffix == ".pt" and next(saves) == 2:
            real(path, bytes(content)[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write)
        advice = refusal(made_up_set, tmp_path / "run")
    assert "No space left on device" in advice
    assert "continue with the same command and --resume" in advice
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["epochs"] == 1
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]
    assert train(made_up_set, tmp_path / "run", RECIPE, resume=True) == whole
    assert log_of(tmp_path / "run") == log_of(tmp_path / "whole")


def test_an_interrupted_epoch_leaves_the_one_before(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(monkeypatch, "train._loss", 2 * STEPS + 3)
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
        replace(RECIPE, batch_size=12),
        replace(RECIPE, seed=7),
        replace(RECIPE, augmentation=Augmentation()),
    ],
    ids=["epochs", "batch", "seed", "augmentation"],
)
def test_a_run_is_not_resumed_with_other_options(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: Recipe
) -> None:
    interrupt(monkeypatch, "train._loss", 2 * STEPS + 1)
    refusal(made_up_set, tmp_path / "run")
    assert "was started with other options" in refusal(made_up_set, tmp_path / "run", other, resume=True)


def test_a_run_is_not_resumed_on_other_faces(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be tested on faces that it was trained on."""
    others = made_up.save(tmp_path / "others", 160, splits=("test", "train", "train", "calibration", "train"))
    interrupt(monkeypatch, "train._loss", 2 * STEPS + 1)
    refusal(made_up_set, tmp_path / "run")
    assert str(tmp_path / "run") in refusal(others, tmp_path / "run", resume=True)


def test_where_there_is_no_run_nothing_is_resumed(made_up_set: Path, tmp_path: Path) -> None:
    assert "nothing to resume" in refusal(made_up_set, tmp_path / "run", resume=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        (("train", "test"), "has no faces for calibration: it is too small"),
        (("train", "calibration"), "has no faces for test: it is too small"),
        (("test", "calibration"), "0 training faces"),
    ],
    ids=["nothing to calibrate on", "nothing to test on", "nothing to train on"],
)
def test_unusable_data_is_refused_before_training(tmp_path: Path, splits: tuple[Split, ...], said: str) -> None:
    folder = made_up.save(tmp_path / "prepared", 160, splits=splits)
    assert said in refusal(folder, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_begins_with_the_network_of_another(made_up_set: Path, tmp_path: Path) -> None:
    train(made_up_set, tmp_path / "first", replace(RECIPE, epochs=1))
    hardly = replace(RECIPE, epochs=1, lr=1e-9, seed=1, optimizer="sgd")
    train(made_up_set, tmp_path / "second", hardly, start_from=tmp_path / "first")
    first, second = load_network(tmp_path / "first"), load_network(tmp_path / "second")
    torch.testing.assert_close(second.age.weight, first.age.weight)
    assert load_settings(tmp_path / "second").start_from == str(tmp_path / "first")


def test_a_run_does_not_begin_with_the_network_of_none(made_up_set: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nowhere is not a run"):
        train(made_up_set, tmp_path / "run", RECIPE, start_from=tmp_path / "nowhere")
    assert not (tmp_path / "run").exists()


def test_a_batch_larger_than_the_set_is_refused(made_up_set: Path, tmp_path: Path) -> None:
    assert "96 training faces do not fill one batch of 97: use more faces or a smaller --batch-size" in refusal(
        made_up_set, tmp_path / "run", replace(RECIPE, batch_size=97)
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


def test_the_paper_recipe_lowers_its_rate_when_the_loss_stops_falling(made_up_set: Path, tmp_path: Path) -> None:
    """A rate that changes nothing leaves the loss where it is; the paper's scheduler then divides it by ten."""
    train(made_up_set, tmp_path / "run", replace(PAPER, epochs=14, batch_size=24, lr=1e-12, augmentation=None))
    rates = [line["rate"] for line in log_of(tmp_path / "run")]
    assert rates[0] == 1e-12
    assert min(rates) == pytest.approx(1e-13)


def test_faces_without_a_label_teach_the_rest(tmp_path: Path) -> None:
    """Half the faces have no gender and the other half no age: both are learnt all the same."""
    folder = made_up.save(tmp_path / "prepared", 160)
    lines = (folder / "faces.csv").read_text().splitlines()
    columns = lines[0].split(",")
    rows = [line.split(",") for line in lines[1:]]
    for index, row in enumerate(rows):
        if row[columns.index("split")] == "train":
            row[columns.index("gender" if index % 3 else "age")] = ""
    (folder / "faces.csv").write_text("\n".join([lines[0], *(",".join(row) for row in rows)]))
    accuracy = train(folder, tmp_path / "run", replace(RECIPE, epochs=20))
    assert accuracy.gender > 0.8
    assert accuracy.age > 0.5


def test_a_run_whose_faces_changed_is_not_resumed(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(made_up_set, tmp_path / "prepared"))
    interrupt(monkeypatch, "train._loss", 2 * STEPS + 1)
    refusal(folder, tmp_path / "run")
    text = (folder / "faces.csv").read_text()
    (folder / "faces.csv").write_text(text.replace(",female,", ",male,", 1))
    assert "started with other options or data" in refusal(folder, tmp_path / "run", resume=True)


def test_resuming_needs_no_longer_the_run_that_it_began_with(
    made_up_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first"
    train(made_up_set, first, replace(RECIPE, epochs=1))
    whole = train(made_up_set, tmp_path / "whole", RECIPE, start_from=first)
    with monkeypatch.context() as patch:
        interrupt(patch, "train._loss", 2 * STEPS + 1)
        with pytest.raises(RunError):
            train(made_up_set, tmp_path / "run", RECIPE, start_from=first)
    shutil.rmtree(first)
    assert train(made_up_set, tmp_path / "run", RECIPE, resume=True, start_from=first) == whole


def test_a_network_that_blows_up_is_stopped_and_not_kept(made_up_set: Path, tmp_path: Path) -> None:
    wild = replace(RECIPE, optimizer="sgd", max_grad_norm=0.0, lr=1e30)
    assert "diverged in epoch 1" in refusal(made_up_set, tmp_path / "run", wild)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_set_is_not_named_twice(made_up_set: Path, tmp_path: Path) -> None:
    with pytest.raises(PreparedDataError, match="named twice"):
        training.train([made_up_set, made_up_set], tmp_path / "run", RECIPE)


def test_a_set_of_other_groups_needs_the_networks(tmp_path: Path) -> None:
    faces = Faces([prepared.load(made_up.save(tmp_path / "prepared", 160))], DECADES[:7])
    with pytest.raises(RunError, match="has 7 age groups, the network has 8: use --groups"):
        training.train_on(faces, [tmp_path / "prepared"], tmp_path / "run", RECIPE)


def test_more_epochs_than_were_asked_for_are_refused(made_up_set: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=2)
    train(made_up_set, tmp_path / "run", recipe)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    torch.save(state | {"epochs": 3}, tmp_path / "run" / "checkpoint.pt")
    assert "has 3 epochs, more than" in refusal(made_up_set, tmp_path / "run", recipe, resume=True)


def test_a_loss_is_the_mean_over_faces_known_or_not() -> None:
    logits = torch.zeros(4, 2)
    targets = torch.tensor([[1.0, 0], [0, 1], [0, 0], [0, 0]])
    assert float(training._loss(logits, targets)) == pytest.approx(math.log(2) / 2)
