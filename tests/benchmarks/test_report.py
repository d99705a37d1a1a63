"""The README's and the benchmark's own tables are made of the run that is kept, and verdicts follow the figures."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.bench import whole
from benchmarks.bench.cli import main
from benchmarks.bench.figure import draw
from benchmarks.bench.reach import Run, Target, targets
from benchmarks.bench.report import markdown, reach_table
from tests.support.markdown import numbers, rows

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "benchmarks" / "kiosk"


@pytest.fixture
def run() -> Run:
    kept: Run = json.loads((KEPT / "results.json").read_text(encoding="utf-8"))
    return copy.deepcopy(kept)


def test_the_page_is_made_of_the_run(run: Run) -> None:
    assert (KEPT / "results.md").read_text(encoding="utf-8") == markdown(run)


@pytest.mark.parametrize("page", ["README.md", "docs/performance.md"])
def test_a_page_has_the_runs_figures(run: Run, page: str) -> None:
    written = rows((ROOT / page).read_text(encoding="utf-8"))
    measured = {each.what: numbers(each.measured) for each in targets(run) if each.what in written}
    assert len(measured) == {"README.md": 4, "docs/performance.md": len(list(targets(run)))}[page]
    for what, figures in measured.items():
        assert written[what][0][-len(figures) :] == figures, what


def test_the_picture_is_the_same_every_time(run: Run, tmp_path: Path) -> None:
    for name in ("one.png", "other.png"):
        draw(run, tmp_path / name)
    one, other = ((tmp_path / name).read_bytes() for name in ("one.png", "other.png"))
    assert one == other
    assert one.startswith(b"\x89PNG")


def target(run: Run, words: str) -> Target:
    [found] = [each for each in targets(run) if words in each.what]
    return found


def one_face(run: Run) -> Run:
    [row] = [row for row in run["answers"] if (row["clip"], row["width"], row["faces"]) == ("demo", 640, 1)]
    run["answers"] = [row, *(each for each in run["answers"] if (each["width"], each["faces"]) != (640, 1))]
    return row


def test_fast_and_five_times_as_fast_are_both_wanted(run: Run) -> None:
    row = one_face(run)
    for rate, times, met in ((120.0, 6.0, True), (90.0, 6.0, False), (120.0, 4.0, False)):
        row["ours"]["frames_per_second"], row["times_alternative"] = rate, times
        assert target(run, "one face, 640×480, as fast").met is met
    row["times_alternative"] = None
    run["alternative"]["why_not"] = "no network"
    assert "no network" in target(run, "one face, 640×480, as fast").verdict


def test_the_slowest_clip_counts(run: Run) -> None:
    row = one_face(run)
    row["paced"]["p95_ms"] = 10.0
    assert target(run, "camera to answer").met
    slow = copy.deepcopy(row)
    slow["paced"]["p95_ms"] = 40.0
    run["answers"].append(slow)
    assert target(run, "camera to answer").met is False


def test_a_machine_that_was_not_quiet_is_a_reason(run: Run) -> None:
    one_face(run)["paced"]["p95_ms"] = 40.0
    run["others_cores"] = 1.5
    assert "others kept 1.5 cores busy" in target(run, "camera to answer").verdict
    run["others_cores"] = 0.0
    assert "others" not in target(run, "camera to answer").verdict


WINDOW = {
    "seconds": 599.0,
    "pictures_per_second": 29.97,
    "stalls": 0,
    "longest_stall_ms": None,
    "launch_to_first_picture_s": 1.2,
}


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({}, True),
        ({"seconds": 29.0}, None),
        ({"stalls": 1, "longest_stall_ms": 70.0}, False),
        ({"pictures_per_second": 25.0}, False),
        ({"pictures_per_second": None}, False),
    ],
)
def test_a_window_is_steady_only_for_ten_minutes(run: Run, change: Run, met: bool | None) -> None:
    run["window"] = {**WINDOW, **change}
    assert target(run, "window").met is met
    assert target(run, "launch").met


def test_a_kiosk_without_statistics_was_not_measured(run: Run) -> None:
    run["window"] = "there is none"
    assert target(run, "window").verdict == target(run, "launch").verdict == "not measured: there is none"


def test_ages_that_change_on_purpose_are_not_judged(run: Run) -> None:
    steady = {**run["steadiness"][-1]["ours"], "people": 1, "most_changes_in_ten_seconds": 1, "age_furthest": 1.5}
    shaky = {**steady, "most_changes_in_ten_seconds": 7, "age_furthest": 9.0}
    run["steadiness"] = [
        {"clip": "still", "constant": True, "ours": steady, "alternative": None},
        {"clip": "grows", "constant": False, "ours": shaky, "alternative": None},
    ]
    assert target(run, "label changes").met
    assert target(run, "expected age").met
    run["steadiness"][1]["constant"] = True
    assert "grows" in target(run, "label changes").verdict
    assert target(run, "expected age").met is False


def test_one_stranger_taken_for_somebody_is_one_too_many(run: Run) -> None:
    run["strangers"]["known"] = ["cartoon: cat, dark"]
    assert target(run, "noise").verdict.startswith("not met: cartoon: cat, dark")


def test_a_run_is_written_and_can_be_drawn_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []

    def made_up(plan: whole.Plan, clips: tuple[Path, ...], *, with_alternative: bool) -> Run:
        plans.append((plan, clips, with_alternative))
        return run

    monkeypatch.setattr(whole, "measure", made_up)
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["run", "--out", str(out), "--window-seconds", "600", "--without-alternative"])
    assert done.exit_code == 0, done.output
    assert reach_table(run) in done.output
    assert plans == [(whole.Plan(window_seconds=600), (), False)]
    assert json.loads((out / "results.json").read_text(encoding="utf-8")) == run
    written = {name: (out / name).read_bytes() for name in ("results.md", "stages.png")}
    (out / "results.md").unlink()
    assert CliRunner().invoke(main, ["report", "--out", str(out)]).exit_code == 0
    assert {name: (out / name).read_bytes() for name in written} == written


def test_a_folder_without_a_run_is_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["report", "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert "results.json" in done.output
