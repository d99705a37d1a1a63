"""Label changes and wandering ages are counted as they are said to be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.bench import steadiness
from benchmarks.bench.alternative import Prediction
from benchmarks.bench.steadiness import LabelledTrack, clip_frames, measure, swaying_frames
from kiosk.estimate import DECADES
from kiosk.inference import load
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.source import DEMO


def line(*said: tuple[float, str, float]) -> LabelledTrack:
    made = LabelledTrack()
    for time, group, age in said:
        made.add(time, ("female", group), age)
    return made


def test_changes_are_those_of_either_label() -> None:
    made = line((0, "20-29", 25), (1, "30-39", 31), (2, "30-39", 31))
    made.add(3, ("male", "30-39"), 31)
    assert made.changes == [1, 3]
    assert made.seconds == 3


def test_the_worst_ten_seconds_count() -> None:
    flicker = line(*((second, "20-29" if second % 2 else "30-39", 30) for second in range(25)))
    said = steadiness._summary([flicker, line((0, "20-29", 20), (8, "20-29", 30))])
    assert said["people"] == 2
    assert said["changes"] == 24
    assert said["most_changes_in_ten_seconds"] == 10
    assert said["changes_in_ten_seconds"] == pytest.approx(10 * 24 / 32)
    assert (said["age_deviation"], said["age_furthest"]) == (5, 5)


def test_nobody_has_no_figures() -> None:
    assert set(steadiness._summary([]).values()) == {0, None}


def test_single_answers_are_joined_by_where_they_are() -> None:
    joined = steadiness._LineBuilder(DECADES)
    for time, left, age in ((0.0, 0, 25), (0.0, 200, 62), (0.1, 10, 31), (0.1, 205, 63), (5.0, 10, 31)):
        joined.add(time, Prediction((left, 0, 100, 100), "female", age))
    assert [made.ages for made in joined.lines] == [[25, 31], [62, 63], [31]]
    assert joined.lines[0].labels == [("female", "20-29"), ("female", "30-39")]


def test_who_stands_still_is_known_for_good() -> None:
    [picture] = [frame.image for frame in clip_frames(DEMO) if frame.index == 362]
    engine = load(cpu_only=True)
    said = measure(swaying_frames(picture, 2.0), engine, None)
    engine.close()
    assert said["frames_looked_at_with_a_face"] == 10
    assert said["alternative"] is None
    assert said["ours"]["people"] == 1
    assert said["ours"]["share_answered"] >= 0.7
    assert said["ours"]["age_deviation"] < 2


def test_an_empty_room_has_no_share() -> None:
    def frames() -> Iterator[Frame]:
        for index in range(3):
            yield Frame(np.full((120, 160, 3), 90, np.uint8), index, index / 10, 0.0)

    engine = load(cpu_only=True)
    said = measure(frames(), engine, None)
    engine.close()
    assert said["frames_looked_at_with_a_face"] == 0
    assert said["ours"]["share_answered"] is None
