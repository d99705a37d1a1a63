"""The command `trainer`: help, defaults, and one line for whatever a person can put right."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kiosk.estimate import ADIENCE
from kiosk.inference.manifest import write
from tests.fakes.fake_gpu import compiled_manifest
from tests.trainer.conftest import Exported
from trainer.cli import main
from trainer.training.accuracy import Accuracy
from trainer.training.recipe import DEFAULT, PAPER, Recipe


def trainer(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def the_line(result: Result) -> str:
    """The one line with which a command fails."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


COMMANDS = (
    *("prepare", "train", "lr-search", "evaluate", "benchmark", "export"),
    *("build-engine", "verify-engine", "bench", "train-nonface-filter"),
)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["benchmark", "adience"]])
def test_every_command_has_help(command: list[str]) -> None:
    result = trainer(*command, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: {' '.join(['main', *command])} ")
    assert len(result.output.split("\n\n")[1].strip()) > 20, "no sentence says what it does"


def test_help_names_every_command() -> None:
    assert main.commands.keys() == set(COMMANDS)
    assert all(command in trainer("--help").output for command in main.commands)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the command line would have trained."""
    asked: list[Any] = []
    accuracy = Accuracy(6, 0.5, 0.5, 1.0, 0.1, 0.1)
    monkeypatch.setattr(
        "trainer.training.train.train", lambda *given, **named: asked.extend([*given, named]) or accuracy
    )
    return asked


@pytest.mark.parametrize(
    ("options", "recipe"), [("", DEFAULT), ("--recipe paper", PAPER), ("--recipe default", DEFAULT)]
)
def test_a_recipe_is_taken_as_it_is(asked: list[Any], options: str, recipe: Recipe) -> None:
    result = trainer(*f"train data --out run {options}".split())
    assert result.exit_code == 0
    assert asked == [(Path("data"),), Path("run"), recipe, {"groups": None, "resume": False, "start_from": None}]
    assert result.stdout == "run: gender 50.0%, age group 50.0%, within one 100.0% of 6 faces\n"


def test_any_part_of_a_recipe_can_be_set(asked: list[Any]) -> None:
    result = trainer(
        *["train", "data", "--out", "run", "--set", "mixup=0", "--set", "optimizer=sgd", "--set", "batch_norm=false"]
    )
    assert result.exit_code == 0
    assert asked[2] == replace(DEFAULT, mixup=0.0, optimizer="sgd", batch_norm=False)


@pytest.mark.parametrize("setting", ["mixup", "mixup=much", "mystery=1", "schedule=never"])
def test_what_no_recipe_has_cannot_be_set(asked: list[Any], setting: str) -> None:
    result = trainer("train", "data", "--out", "run", "--set", setting)
    assert result.exit_code == 2
    assert "--set" in result.stderr
    assert setting.partition("=")[0] in result.stderr
    assert not asked


def test_options_change_the_recipe(asked: list[Any]) -> None:
    options = "--recipe paper --epochs 3 --batch-size 16 --lr 0.01 --seed 9 --no-augmentation --mixed-precision"
    assert (
        trainer(*f"train one two --out run {options} --resume --start-from other --groups adience".split()).exit_code
        == 0
    )
    changed = replace(PAPER, epochs=3, batch_size=16, lr=0.01, seed=9, augmentation=None, mixed_precision=True)
    assert asked[:3] == [(Path("one"), Path("two")), Path("run"), changed]
    assert asked[3] == {"groups": ADIENCE, "resume": True, "start_from": Path("other")}


@pytest.mark.parametrize(
    "options",
    ["--epochs 0", "--batch-size 1", "--lr 0", "--lr nan", "--lr inf", "--epochs many", f"--seed {2**31}"],
)
def test_options_out_of_range_are_refused(options: str, tmp_path: Path) -> None:
    result = trainer("train", tmp_path, "--out", tmp_path / "run", *options.split())
    assert result.exit_code == 2
    assert options.split()[0] in result.stderr


@pytest.mark.parametrize("command", [["train", "data"], ["export", "run"], ["lr-search", "data"]])
def test_an_out_folder_must_be_named(command: list[str]) -> None:
    result = trainer(*command)
    assert result.exit_code == 2
    assert "--out" in result.stderr


def test_training_without_data_is_refused(tmp_path: Path) -> None:
    line = the_line(trainer("train", tmp_path / "nowhere", "--out", tmp_path / "run"))
    assert "nowhere is not prepared data" in line
    assert "trainer prepare" in line


@pytest.mark.parametrize("kind", ["adience", "fairface", "utkface", "folder"])
def test_preparing_nothing_is_refused(kind: str, tmp_path: Path) -> None:
    assert str(tmp_path) in the_line(trainer("prepare", kind, tmp_path, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_exporting_no_run_is_refused(tmp_path: Path) -> None:
    line = the_line(trainer("export", tmp_path / "nowhere", "--out", tmp_path / "out.onnx"))
    assert "nowhere is not a run of `trainer train`" in line


def test_exporting_reports_the_accuracy(monkeypatch: pytest.MonkeyPatch, exported: Exported) -> None:
    monkeypatch.setattr("trainer.export.to_onnx.export", lambda *_: exported.manifest)
    result = trainer("export", "run", "--out", "out.onnx")
    assert result.stdout == f"out.onnx: {exported.manifest.accuracy}\n"


def test_evaluating_prints_writes_and_reports(exported: Exported, tmp_path: Path) -> None:
    result = trainer(
        "evaluate", exported.onnx, exported.prepared, "--json", tmp_path / "all.json", "--report", tmp_path / "report"
    )
    assert result.exit_code == 0
    assert exported.manifest.accuracy is not None
    assert f"{100 * exported.manifest.accuracy.gender:.1f}" in result.stdout
    assert (tmp_path / "all.json").exists()
    assert (tmp_path / "report" / "report.md").exists()


def test_a_benchmark_needs_its_protocol(tmp_path: Path) -> None:
    result = trainer("benchmark", "adience", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "--protocol" in result.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "the disk is full: make room",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "out.onnx"), "out.onnx: Permission denied"),
    ],
)
def test_what_the_system_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch, error: OSError, said: str) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr("trainer.export.to_onnx.export", refuse)
    assert the_line(trainer("export", "run", "--out", "out.onnx")) == f"Error: {said}"


def test_a_bench_of_an_engine_that_cannot_run_here_says_so_in_its_exit(tmp_path: Path) -> None:
    engine = tmp_path / "unfit.engine"
    engine.write_bytes(b"compiled elsewhere")
    write(compiled_manifest(engine.read_bytes(), version="0.0.0.1"), engine)
    result = trainer("bench", str(engine), "--no-torch", "--batch-size", "1", "--seconds", "0.2")
    assert result.exit_code == 1
    assert "unfit.engine was not measured" in result.stdout
