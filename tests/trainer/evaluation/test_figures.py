"""The figures in the README and the model card are those of the files that they speak of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk.inference import check, default_path, locations
from kiosk.inference.selection import keeps_accuracy
from trainer.speed.text import rounded
from trainer.training.adience_benchmark import Protocol, table

ROOT = Path(__file__).parents[3]


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


@pytest.mark.parametrize("page", ["README.md", "engines/README.md"])
def test_a_page_has_the_manifests_figures(page: str) -> None:
    accuracy = check(default_path()).accuracy
    assert accuracy is not None
    assert accuracy.averaged is not None
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, task in (("gender", "gender"), ("exact age group", "age"), ("within one age group", "age_within_one")):
        over_faces, averaged = percent(getattr(accuracy, task)), percent(getattr(accuracy.averaged, task))
        assert f"| {name} | {over_faces} % | {averaged} % |" in text
    assert f"{accuracy.faces:,} faces" in text or f"{accuracy.faces} faces" in text


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


def test_what_comes_in_eight_bits_is_as_good_as_the_network() -> None:
    for name in (locations.CPU_INT8, locations.TENSORRT_INT8):
        manifest = check(locations.own_folder() / name)
        assert keeps_accuracy(manifest, check())
        assert manifest.verified is not None


@pytest.mark.parametrize("protocol", ["paper", "folds"])
def test_the_readmes_benchmark_is_what_the_results_say(protocol: Protocol) -> None:
    assert table(ROOT / "benchmarks" / "adience", protocol) in (ROOT / "README.md").read_text(encoding="utf-8")


def speed_table() -> str:
    """What the run of `trainer bench` that is kept says of one, four and eight faces a call."""
    run = json.loads((ROOT / "benchmarks" / "speed" / "cpu.json").read_text(encoding="utf-8"))
    lines = ["| ms a call, median | 1 face | 4 faces | 8 faces |", "|---|---|---|---|"]
    for row in run["engines"]:
        medians = {timing["batch"]: rounded(timing["median_ms"]) for timing in row["timings"]}
        lines.append(f"| `{row['name']}`, {row['runs_on']} | {medians[1]} | {medians[4]} | {medians[8]} |")
    return "\n".join(lines)


def test_the_readmes_speed_is_what_the_run_says() -> None:
    assert speed_table() in (ROOT / "README.md").read_text(encoding="utf-8")
