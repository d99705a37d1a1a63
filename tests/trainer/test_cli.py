"""The command `trainer`: help, defaults, and one line for whatever a person can put right."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.trainer.conftest import Exported
from trainer.cli import main, train
from trainer.fairface import LABEL_FILE
from trainer.prepare import Report
from trainer.train import Recipe


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


@pytest.mark.parametrize("command", [[], ["prepare"], ["prepare", "fairface"], ["train"], ["export"]])
def test_every_command_has_help(command: list[str]) -> None:
    result = trainer(*command, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: {' '.join(['main', *command])} ")
    assert len(result.output.split("\n\n")[1].strip()) > 20, "no sentence says what it does"


def test_help_names_every_command() -> None:
    assert main.commands.keys() == {"prepare", "train", "export"}
    assert all(command in trainer("--help").output for command in main.commands)


def test_defaults_are_the_recipes() -> None:
    recipe = Recipe()
    defaults = {parameter.name: parameter.default for parameter in train.params}
    assert (defaults["epochs"], defaults["batch"], defaults["rate"], defaults["seed"]) == (
        recipe.epochs,
        recipe.batch,
        recipe.peak_rate,
        recipe.seed,
    )


def test_options_reach_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("trainer.train.train", lambda *given, **named: asked.extend([*given, named]))
    options = "train data --out run --epochs 3 --batch 16 --rate 0.5 --seed 9 --resume --start-from other"
    assert trainer(*options.split()).exit_code == 0
    recipe = Recipe(epochs=3, batch=16, peak_rate=0.5, seed=9)
    assert asked == [Path("data"), Path("run"), recipe, {"resume": True, "start_from": Path("other")}]


@pytest.mark.parametrize("options", ["--epochs 0", "--batch 1", "--rate 0", "--epochs many"])
def test_options_out_of_range_are_refused(options: str, tmp_path: Path) -> None:
    result = trainer("train", tmp_path, "--out", tmp_path / "run", *options.split())
    assert result.exit_code == 2
    assert options.split()[0] in result.stderr


@pytest.mark.parametrize("command", [["train", "data"], ["export", "run"]])
def test_an_out_folder_must_be_named(command: list[str]) -> None:
    result = trainer(*command)
    assert result.exit_code == 2
    assert "--out" in result.stderr


def test_training_without_data_is_refused(tmp_path: Path) -> None:
    line = the_line(trainer("train", tmp_path / "nowhere", "--out", tmp_path / "run"))
    assert "nowhere is not prepared data" in line
    assert "trainer prepare" in line


def test_preparing_nothing_is_refused(tmp_path: Path) -> None:
    line = the_line(trainer("prepare", "fairface", tmp_path, tmp_path / "out"))
    assert f"ROOT is the folder that holds {LABEL_FILE}" in line


def test_exporting_no_run_is_refused(tmp_path: Path) -> None:
    line = the_line(trainer("export", tmp_path / "nowhere", "--out", tmp_path / "out.onnx"))
    assert "nowhere is not a run of `trainer train`" in line


def test_preparing_reports_what_became_of_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.prepare.prepare_fairface", lambda *_: Report(7, 3, ("train/9.jpg",)))
    result = trainer("prepare", "fairface", "root", "out")
    assert result.exit_code == 0
    assert result.stdout == "7 faces in out; 3 pictures without a face that the detector finds\n"
    assert result.stderr == "1 unreadable: train/9.jpg\n"


def test_exporting_reports_the_accuracy(monkeypatch: pytest.MonkeyPatch, exported: Exported) -> None:
    monkeypatch.setattr("trainer.export.export", lambda *_: exported.manifest)
    result = trainer("export", "run", "--out", "out.onnx")
    assert result.stdout == f"out.onnx: {exported.manifest.accuracy}\n"
