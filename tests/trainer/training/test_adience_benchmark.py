"""Both protocols run to a finished table, each run once, and never mix people."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kiosk.estimate import ADIENCE
from tests.fakes import made_up
from tests.fakes.made_up import TinyNet
from trainer.data import prepared
from trainer.data.labels import FaceLabel, Years
from trainer.evaluation.predict import predict
from trainer.export.to_onnx import export
from trainer.training import adience_benchmark
from trainer.training.adience_benchmark import BenchmarkError, Row, parts_of, table
from trainer.training.recipe import DEFAULT
from trainer.training.run_folder import RunError
from trainer.training.train import train

RECIPE = replace(DEFAULT, epochs=1, batch_size=8, optimizer="sgd", augmentation=None, ema_decay=0.0, balance=0.0)
PEOPLE = 20


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.training.train.FacialNet", TinyNet)
    monkeypatch.setattr("trainer.training.run_folder.FacialNet", TinyNet)
    rows = {
        "paper": (Row("plain", "plain", RECIPE), Row("ours", "our recipe", RECIPE)),
        "folds": (Row("ours", "our recipe", RECIPE),),
    }
    monkeypatch.setattr(adience_benchmark, "ROWS", rows)


@pytest.fixture
def adience(tmp_path: Path) -> Path:
    """A hundred faces of twenty people in five folds; every seventh has no gender, every eleventh no age."""
    labels = []
    for index in range(100):
        person, group = index % PEOPLE, ADIENCE[index % 8]
        labels.append(
            FaceLabel(
                file=f"{person}/{index}.jpg",
                gender="" if index % 7 == 0 else ("female", "male")[index % 2],
                age=None if index % 11 == 0 else Years(group.low, group.high),
                subject=str(person),
                fold=str(person % 5),
            )
        )
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 255, (100, 99, 99), dtype=np.uint8)
    prepared.save(tmp_path / "adience", dataset="Adience", groups=ADIENCE, crops=crops, labels=labels, summary={})
    return tmp_path / "adience"


def test_folds_never_share_a_person(adience: Path) -> None:
    data = prepared.load(adience)
    parts = list(parts_of(data, "folds"))
    assert [name for name, _ in parts] == [f"fold {fold}" for fold in range(5)]
    tested: list[str] = []
    for _, faces in parts:
        people = [{faces.labels[row].subject for row in faces.rows(split)} for split in ("train", "test")]
        assert not people[0] & people[1]
        assert len(people[0] | people[1]) == PEOPLE
        tested += [faces.labels[row].file for row in faces.rows("test")]
    assert sorted(tested) == sorted(label.file for label in data.labels), "every face is tested on once"


def test_the_random_split_keeps_a_fifth_and_is_always_the_same(adience: Path) -> None:
    data = prepared.load(adience)
    [(name, faces)] = parts_of(data, "paper")
    assert name == "random split"
    assert (len(faces.rows("train")), len(faces.rows("test"))) == (80, 20)
    [(_, again)] = parts_of(data, "paper")
    assert again.labels == faces.labels


def test_a_person_in_two_folds_is_refused(adience: Path) -> None:
    data = prepared.load(adience)
    moved = (replace(data.labels[0], fold="4"), *data.labels[1:])
    with pytest.raises(BenchmarkError, match="0 is in folds 4 and 0"):
        list(parts_of(replace(data, labels=moved), "folds"))


def test_a_set_without_folds_is_refused(tmp_path: Path) -> None:
    data = prepared.load(made_up.save(tmp_path, 32))
    with pytest.raises(BenchmarkError, match="Made-up has no folds"):
        list(parts_of(data, "folds"))


def test_a_protocol_runs_to_its_table(adience: Path, tmp_path: Path) -> None:
    text = adience_benchmark.run(adience, tmp_path / "out", "folds")
    assert (tmp_path / "out" / "folds.md").read_text() == text + "\n"
    results = [json.loads(path.read_text()) for path in sorted((tmp_path / "out" / "folds").glob("*.json"))]
    assert [result["part"] for result in results] == [f"fold {fold}" for fold in range(5)]
    genders = [result["gender"] for result in results]
    line = next(line for line in text.splitlines() if "our recipe" in line)
    assert f"| {100 * np.mean(genders):.1f} ± {100 * np.std(genders):.1f} |" in line
    assert "subject-exclusive folds" in text
    assert "Levi and Hassner (2015) | 86.8 | 50.7 | 84.7" in text


def test_the_papers_protocol_stands_beside_the_papers_figures(adience: Path, tmp_path: Path) -> None:
    text = adience_benchmark.run(adience, tmp_path / "out", "paper")
    assert "random split" in text
    assert "fold" not in text
    for figure in ("68.1", "94.2", "72.8", "54.1", "88.2", "60.2", "87.0", "**plain**", "**our recipe**"):
        assert figure in text


def test_unknown_labels_are_not_tested_on(adience: Path, tmp_path: Path) -> None:
    adience_benchmark.run(adience, tmp_path / "out", "paper", ["plain"])
    result = json.loads((tmp_path / "out" / "paper" / "plain-random-split.json").read_text())
    [(_, faces)] = parts_of(prepared.load(adience), "paper")
    tested = [faces.labels[row] for row in faces.rows("test")]
    assert result["tested_on_gender"] == sum(bool(label.gender) for label in tested) < 20
    assert result["tested_on_age"] == sum(label.age is not None for label in tested) < 20
    assert result["trained_on"] == 80
    assert len(result["curve"]) == 1


def test_what_is_there_is_not_done_again(adience: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the third fold, it goes on with the third; the first two networks are not even needed."""
    real, done = adience_benchmark.train_on, []

    def stop(*given: object, **named: object) -> object:
        if len(done) == 2:
            raise RunError("stopped in epoch 1")
        done.append(given)
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(adience_benchmark, "train_on", stop)
    with pytest.raises(RunError):
        adience_benchmark.run(adience, tmp_path / "out", "folds")
    assert "2 of 5 folds" in table(tmp_path / "out", "folds")
    monkeypatch.setattr(adience_benchmark, "train_on", real)
    whole = adience_benchmark.run(adience, tmp_path / "whole", "folds")
    monkeypatch.setattr(
        adience_benchmark, "train_on", lambda *given, **named: done.append(given) or real(*given, **named)
    )
    assert adience_benchmark.run(adience, tmp_path / "out", "folds") == whole
    assert len(done) == 5
    adience_benchmark.run(adience, tmp_path / "out", "folds")
    assert len(done) == 5


def test_results_of_another_recipe_are_not_taken_for_these(
    adience: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adience_benchmark.run(adience, tmp_path / "out", "folds")
    other = {"folds": (Row("ours", "our recipe", replace(RECIPE, epochs=2)),)}
    monkeypatch.setattr(adience_benchmark, "ROWS", other)
    with pytest.raises(BenchmarkError, match="another recipe or another initial network: move it away"):
        adience_benchmark.run(adience, tmp_path / "out", "folds")


def test_results_of_other_labels_are_not_taken_for_these(adience: Path, tmp_path: Path) -> None:
    """As many faces, and every gender the other one."""
    adience_benchmark.run(adience, tmp_path / "out", "paper", ["plain"])
    text = (adience / "faces.csv").read_text()
    swapped = text.replace(",female,", ",x,").replace(",male,", ",female,").replace(",x,", ",male,")
    (adience / "faces.csv").write_text(swapped)
    with pytest.raises(BenchmarkError, match="has other faces"):
        adience_benchmark.run(adience, tmp_path / "out", "paper", ["plain"])


def test_a_benchmarks_network_is_not_judged_by_faces_that_it_learnt(adience: Path, tmp_path: Path) -> None:
    """The folder has splits of its own, in which a fold's training faces are tested on."""
    adience_benchmark.run(adience, tmp_path / "out", "paper", ["plain"])
    run = tmp_path / "out" / "paper" / "runs" / "plain-random-split"
    with pytest.raises(RunError, match="was trained on other faces or splits"):
        export(run, tmp_path / "out.onnx")
    with pytest.raises(RunError, match="was trained on other faces or splits"):
        predict(run, prepared.load(adience).crops, np.arange(4))


class TestBeginningWithAnotherNetwork:
    """A row that begins with a network trained on FairFace says with which one."""

    def begun(self, folder: Path, dataset: str, seed: int = 0) -> Path:
        """A run on made-up faces that pass for a data set."""
        made_up.save(folder / "prepared", 96)
        facts = json.loads((folder / "prepared" / "prepared.json").read_text())
        (folder / "prepared" / "prepared.json").write_text(json.dumps(facts | {"dataset": dataset}))
        train([folder / "prepared"], folder / "run", replace(RECIPE, seed=seed))
        return folder / "run"

    @pytest.fixture(autouse=True)
    def _quick_row(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(adience_benchmark, "_FROM_RUN", Row("from", "begun with FairFace", RECIPE, from_run=True))

    def test_the_row_is_named_and_remembers_its_beginning(self, adience: Path, tmp_path: Path) -> None:
        first, second = (self.begun(tmp_path / str(seed), "FairFace", seed) for seed in (0, 1))
        assert "**begun with FairFace**" in adience_benchmark.run(adience, tmp_path / "out", "folds", ["from"], first)
        adience_benchmark.run(adience, tmp_path / "out", "folds", ["from"], first)
        with pytest.raises(BenchmarkError, match="another initial network"):
            adience_benchmark.run(adience, tmp_path / "out", "folds", ["from"], second)

    def test_a_network_that_learnt_from_adience_is_refused(self, adience: Path, tmp_path: Path) -> None:
        run = self.begun(tmp_path / "begun", "Adience")
        with pytest.raises(BenchmarkError, match="was trained on Adience"):
            adience_benchmark.run(adience, tmp_path / "out", "folds", ["from"], run)

    def test_without_a_run_the_row_is_not_there(self, adience: Path, tmp_path: Path) -> None:
        with pytest.raises(BenchmarkError, match="and from with --start-from"):
            adience_benchmark.run(adience, tmp_path / "out", "folds", ["from"])


def test_another_data_set_is_refused(tmp_path: Path) -> None:
    folder = made_up.save(tmp_path / "faces", 96)
    with pytest.raises(BenchmarkError, match="contains Made-up: this benchmark needs Adience"):
        adience_benchmark.run(folder, tmp_path / "out", "paper")


def test_a_damaged_result_is_refused(adience: Path, tmp_path: Path) -> None:
    adience_benchmark.run(adience, tmp_path / "out", "paper", ["plain"])
    (tmp_path / "out" / "paper" / "plain-random-split.json").write_text("{")
    with pytest.raises(BenchmarkError, match="is not a result of `trainer benchmark`"):
        table(tmp_path / "out", "paper")


def test_a_row_that_is_none_is_named(adience: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="no row best: there are plain, ours"):
        adience_benchmark.run(adience, tmp_path / "out", "paper", ["best"])
