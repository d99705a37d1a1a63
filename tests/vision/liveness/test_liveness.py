"""A head that turns is shown to be alive; a sheet, a bent one, and a person who holds still are not."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from kiosk.vision.faces.geometry import Face
from kiosk.vision.liveness.liveness import EDGE_CHECK_INTERVAL, HELD_FOR, LONGEST_GAP, Liveness
from tests.fakes.surfaces import SIZE, seen

EVERY = 0.04


def watch(
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
    """The verdicts on what swings once in two seconds, the head beginning in the middle."""
    verdicts = []
    for index in range(round(seconds / EVERY)):
        time = start + index * EVERY
        swing = math.sin(math.pi * time)
        gray, face = seen(shape, yaw * swing, pitch * swing, shift=shift * swing, seed=seed)
        verdicts.append(liveness.judge(gray, track, face, time))
    return verdicts


@pytest.fixture
def liveness() -> Liveness:
    return Liveness()


@pytest.mark.parametrize("turn", [{"yaw": 15.0}, {"yaw": -15.0}, {"pitch": 18.0}])
def test_a_head_that_turns_is_alive_but_not_from_the_first_frame(liveness: Liveness, turn: dict[str, float]) -> None:
    verdicts = watch(liveness, "head", **turn)
    assert not any(verdicts[:3])
    assert verdicts[-1]


@pytest.mark.parametrize("shape", ["sheet", "bent"])
@pytest.mark.parametrize("turn", [{"yaw": 30.0}, {"pitch": 25.0}, {"yaw": 25.0, "pitch": 20.0}, {"shift": 40.0}, {}])
def test_a_sheet_is_not_however_it_is_held(liveness: Liveness, shape: str, turn: dict[str, float]) -> None:
    assert not any(watch(liveness, shape, seconds=2.4, **turn))


def test_a_head_that_holds_still_or_only_moves_aside_is_not_shown_to_be(liveness: Liveness) -> None:
    assert not any(watch(liveness, "head", seconds=2.4))
    assert not any(watch(Liveness(), "head", shift=40.0, seconds=2.4))


def test_a_verdict_holds_while_the_head_is_still_again_but_not_for_ever(liveness: Liveness) -> None:
    assert watch(liveness, "head", yaw=15.0, seconds=1.0)[-1]
    after = watch(liveness, "head", seconds=HELD_FOR + 1, start=1.0)
    assert after[10]
    assert not after[-1]


def test_a_verdict_is_about_one_track(liveness: Liveness) -> None:
    assert watch(liveness, "head", yaw=15.0, seconds=1.0)[-1]
    assert not any(watch(liveness, "head", seconds=0.4, start=1.0, track=2))
    assert not any(watch(liveness, "head", seconds=0.4, start=1.4, track=1))


def test_a_picture_held_before_a_face_that_was_shown_is_not(liveness: Liveness) -> None:
    assert watch(liveness, "head", yaw=15.0, seconds=1.0)[-1]
    assert not any(watch(liveness, "sheet", seconds=0.8, start=1.0, seed=7))


@pytest.mark.parametrize("gap", [LONGEST_GAP + 0.05, -0.5])
def test_a_verdict_does_not_outlive_a_gap_or_a_clock_that_runs_back(liveness: Liveness, gap: float) -> None:
    assert watch(liveness, "head", yaw=15.0, seconds=1.0)[-1]
    gray, face = seen("head", 0.0)
    assert not liveness.judge(gray, 1, face, 0.96 + gap)


def test_a_face_without_texture_or_in_profile_is_not_shown_to_be(liveness: Liveness) -> None:
    _, face = seen("head", 0.0)
    flat = np.full((SIZE, SIZE), 128, np.uint8)
    assert not any(liveness.judge(flat, 1, face, index * EVERY) for index in range(40))
    gray, _ = seen("head", 0.0)
    aside = face.landmarks.copy()
    aside[4, 0] += 0.5 * face.eye_distance
    assert not any(liveness.judge(gray, 1, Face(aside), 2 + index * EVERY) for index in range(40))


@pytest.mark.parametrize(("every", "alive"), [(1, False), (2, False), (10, True)])
def test_a_turning_head_inside_the_edges_of_a_screen_is_not_shown_to_be_alive(
    liveness: Liveness, monkeypatch: pytest.MonkeyPatch, every: int, alive: bool
) -> None:
    looks = itertools.count(1)
    monkeypatch.setattr(
        "kiosk.vision.liveness.liveness.has_screen_edges", lambda _gray, _face: next(looks) % every == 0
    )
    assert watch(liveness, "head", yaw=15.0, seconds=2.4)[-1] is alive
    assert next(looks) == pytest.approx(2.4 / EDGE_CHECK_INTERVAL, abs=5)
