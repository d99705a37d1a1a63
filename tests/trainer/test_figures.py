"""The figures in the README and the model card are those of the files that they speak of."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.engine import check, default_path
from trainer.benchmark import Protocol, table

ROOT = Path(__file__).parents[2]


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


@pytest.mark.parametrize("protocol", ["paper", "folds"])
def test_the_readmes_benchmark_is_what_the_results_say(protocol: Protocol) -> None:
    assert table(ROOT / "benchmarks" / "adience", protocol) in (ROOT / "README.md").read_text(encoding="utf-8")
