"""Tests that figures in the README, the docs and the model card equal those of the committed files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk.inference import check, default_path, locations
from kiosk.inference.selection import keeps_accuracy
from tests.support.markdown import numbers, rows
from trainer.speed.text import rounded
from trainer.training.adience_benchmark import Protocol, table

ROOT = Path(__file__).parents[3]


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


@pytest.mark.parametrize("page", ["README.md", "docs/accuracy.md", "engines/README.md"])
def test_a_page_has_the_manifests_figures(page: str) -> None:
    accuracy = check(default_path()).accuracy
    assert accuracy is not None
    assert accuracy.averaged is not None
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, task in (("gender", "gender"), ("exact age group", "age"), ("within one age group", "age_within_one")):
        shares = (getattr(accuracy, task), getattr(accuracy.averaged, task))
        assert [float(percent(share)) for share in shares] in rows(text)[name]
    assert accuracy.faces in numbers(text)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (locations.NETWORK, "`facialnet.onnx`, float32"),
        (locations.CPU_INT8, "`facialnet-cpu-int8.onnx`"),
        (locations.TENSORRT_INT8, "`facialnet-tensorrt-int8.onnx`"),
    ],
)
def test_the_model_card_has_the_figures_of_every_form(name: str, words: str) -> None:
    manifest = check(locations.own_folder() / name)
    assert manifest.network == check().sha256
    assert manifest.accuracy is not None
    shares = [percent(getattr(manifest.accuracy, task)) for task in ("gender", "age", "age_within_one")]
    row = f"| {words} | {' | '.join(f'{share} %' for share in shares)} |"
    assert row in (ROOT / "engines" / "README.md").read_text(encoding="utf-8")


def test_the_shipped_eight_bit_files_keep_the_networks_accuracy() -> None:
    for name in (locations.CPU_INT8, locations.TENSORRT_INT8):
        manifest = check(locations.own_folder() / name)
        assert keeps_accuracy(manifest, check())
        assert manifest.verified is not None


@pytest.mark.parametrize("protocol", ["paper", "folds"])
def test_the_benchmarks_figures_are_those_of_its_results(protocol: Protocol) -> None:
    page = rows((ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8"))
    for name, [figures] in rows(table(ROOT / "benchmarks" / "adience", protocol)).items():
        assert figures in page[name]


def test_the_engines_speed_is_that_of_the_committed_run() -> None:
    page = rows((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"))
    run = json.loads((ROOT / "benchmarks" / "speed" / "cpu.json").read_text(encoding="utf-8"))
    for row in run["engines"]:
        medians = {timing["batch"]: float(rounded(timing["median_ms"])) for timing in row["timings"]}
        assert page[f"{row['name']}, {row['runs_on']}"] == [[medians[1], medians[4], medians[8]]]
