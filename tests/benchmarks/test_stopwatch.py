"""Stages add up, and nothing of the kiosk stays wrap."""

from __future__ import annotations

import pytest

from benchmarks.bench import stopwatch
from benchmarks.bench.stopwatch import Stopwatch, timing
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.pipeline import Pipeline
from kiosk.vision.tracking.tracker import Tracker


class Hands:
    """A clock that is moved on by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_time_within_another_stage_is_its_own() -> None:
    hands = Hands()
    watch = Stopwatch(hands)
    with watch.stage("outer"):
        hands.time += 1
        with watch.stage("inner"):
            hands.time += 10
            with watch.stage("outer"):
                hands.time += 100
        hands.time += 1000
    assert watch.seconds == {"inner": 10, "outer": 1101}


def test_a_stage_that_fails_counts_all_the_same() -> None:
    hands = Hands()
    watch = Stopwatch(hands)

    def fail() -> None:
        hands.time += 3
        raise ValueError

    with pytest.raises(ValueError), watch.stage("outer"):  # noqa: PT011 — it is the one above
        watch.wrap(fail, "inner")()
    assert watch.seconds == {"inner": 3, "outer": 0}


def test_the_pipelines_functions_are_all_there_and_come_back() -> None:
    before = Pipeline.process, FaceFinder.detect, Tracker.assign
    with timing(Stopwatch()) as missing:
        assert missing == []
        assert (Pipeline.process, FaceFinder.detect, Tracker.assign) != before
    assert (Pipeline.process, FaceFinder.detect, Tracker.assign) == before


def test_what_is_not_there_any_more_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopwatch, "FUNCTIONS", (("kiosk.vision.pipeline", "Pipeline.gone", "rest"),))
    monkeypatch.setattr(stopwatch, "FUSING", ("Gone",))
    with timing(Stopwatch()) as missing:
        assert missing == ["Pipeline.gone", "Gone"]
