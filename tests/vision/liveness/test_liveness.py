"""A turning head is live. A flat or bent sheet, and a person who holds still, are not."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from kiosk.vision.faces.geometry import Face
from kiosk.vision.liveness.liveness import EDGE_CHECK_INTERVAL, MAX_GAP, RESULT_VALID_FOR, Liveness
from tests.fakes.surfaces import SIZE, render

FRAME_INTERVAL = 0.04


def judge_frames(
    liveness: Liveness,
    shape: str,
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
    shift: float = 0.0,
    seconds: float = 1.2,
    start: float = 0.0,
    track: int = 1,
    seed: int = 0,
) -> list[bool]:
    """Returns the result for each frame of a surface that swings once in two seconds, starting frontal.

    `yaw` and `pitch` are in degrees, `shift` in pixels.
    """
    results = []
    for index in range(round(seconds / FRAME_INTERVAL)):
        time = start + index * FRAME_INTERVAL
        swing = math.sin(math.pi * time)
        gray, face = render(shape, yaw * swing, pitch * swing, shift=shift * swing, seed=seed)
        results.append(liveness.judge(gray, track, face, time))
    return results


@pytest.fixture
def liveness() -> Liveness:
    return Liveness()


@pytest.mark.parametrize("turn", [{"yaw": 15.0}, {"yaw": -15.0}, {"pitch": 18.0}])
def test_turning_head_is_live_after_some_frames(liveness: Liveness, turn: dict[str, float]) -> None:
    results = judge_frames(liveness, "head", **turn)
    assert not any(results[:3])
    assert results[-1]


@pytest.mark.parametrize("shape", ["sheet", "bent"])
@pytest.mark.parametrize("turn", [{"yaw": 30.0}, {"pitch": 25.0}, {"yaw": 25.0, "pitch": 20.0}, {"shift": 40.0}, {}])
def test_moving_sheet_is_never_live(liveness: Liveness, shape: str, turn: dict[str, float]) -> None:
    assert not any(judge_frames(liveness, shape, seconds=2.4, **turn))


def test_head_without_a_turn_is_not_live(liveness: Liveness) -> None:
    assert not any(judge_frames(liveness, "head", seconds=2.4))
    assert not any(judge_frames(Liveness(), "head", shift=40.0, seconds=2.4))


def test_result_holds_for_a_limited_time_after_the_turn(liveness: Liveness) -> None:
    assert judge_frames(liveness, "head", yaw=15.0, seconds=1.0)[-1]
    after = judge_frames(liveness, "head", seconds=RESULT_VALID_FOR + 1, start=1.0)
    assert after[10]
    assert not after[-1]


def test_result_belongs_to_one_track(liveness: Liveness) -> None:
    assert judge_frames(liveness, "head", yaw=15.0, seconds=1.0)[-1]
    assert not any(judge_frames(liveness, "head", seconds=0.4, start=1.0, track=2))
    assert not any(judge_frames(liveness, "head", seconds=0.4, start=1.4, track=1))


def test_sheet_that_replaces_a_live_face_is_not_live(liveness: Liveness) -> None:
    assert judge_frames(liveness, "head", yaw=15.0, seconds=1.0)[-1]
    assert not any(judge_frames(liveness, "sheet", seconds=0.8, start=1.0, seed=7))


@pytest.mark.parametrize("gap", [MAX_GAP + 0.05, -0.5])
def test_result_is_dropped_after_a_gap_or_a_backward_clock(liveness: Liveness, gap: float) -> None:
    assert judge_frames(liveness, "head", yaw=15.0, seconds=1.0)[-1]
    gray, face = render("head", 0.0)
    assert not liveness.judge(gray, 1, face, 0.96 + gap)


def test_face_without_texture_or_in_profile_is_not_live(liveness: Liveness) -> None:
    _, face = render("head", 0.0)
    flat = np.full((SIZE, SIZE), 128, np.uint8)
    assert not any(liveness.judge(flat, 1, face, index * FRAME_INTERVAL) for index in range(40))
    gray, _ = render("head", 0.0)
    aside = face.landmarks.copy()
    aside[4, 0] += 0.5 * face.eye_distance
    assert not any(liveness.judge(gray, 1, Face(aside), 2 + index * FRAME_INTERVAL) for index in range(40))


@pytest.mark.parametrize(("every", "alive"), [(1, False), (2, False), (10, True)])
def test_turning_head_inside_screen_edges_is_not_live(
    liveness: Liveness, monkeypatch: pytest.MonkeyPatch, every: int, alive: bool
) -> None:
    checks = itertools.count(1)
    monkeypatch.setattr(
        "kiosk.vision.liveness.liveness.has_screen_edges", lambda _gray, _face: next(checks) % every == 0
    )
    assert judge_frames(liveness, "head", yaw=15.0, seconds=2.4)[-1] is alive
    assert next(checks) == pytest.approx(2.4 / EDGE_CHECK_INTERVAL, abs=5)
