from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import cast

import cv2
import numpy as np
import pytest

from kiosk.estimate import FaceObservation, Observation
from kiosk.vision.camera import DEMO, open_source
from kiosk.vision.faces import Face, FaceFinder, Gray
from kiosk.vision.liveness import Liveness
from kiosk.vision.pipeline import DETECT_EVERY, SCAN_EVERY, Pipeline, estimate_still
from kiosk.vision.quality import GOOD
from tests.vision.fakes import FakeEngine, FakeFinder, face_at, frame_at


def pipeline(finder: FakeFinder, engine: FakeEngine | None = None) -> Pipeline:
    return Pipeline(engine or FakeEngine(), finder=cast(FaceFinder, finder), face_judge=lambda _chip: 1.0)


def watch(pipe: Pipeline, frames: int, rate: float = 25.0, start: int = 0) -> list[Observation]:
    return [pipe.process(frame_at(index, rate)) for index in range(start, start + frames)]


def only(observation: Observation) -> FaceObservation:
    (face,) = observation.faces
    return face


def test_an_empty_picture_gives_no_faces_and_runs_no_engine() -> None:
    engine = FakeEngine()
    observations = watch(pipeline(FakeFinder(), engine), 30)
    assert all(observation.faces == () for observation in observations)
    assert engine.batches == []


def test_a_face_is_estimated_and_soon_known() -> None:
    observations = watch(pipeline(FakeFinder([face_at(320, 200)])), 10)
    assert only(observations[0]).status == "estimating"
    assert only(observations[0]).estimate is not None
    last = only(observations[-1])
    assert last.status == "known"
    assert last.track == 1
    assert last.estimate is not None
    assert last.estimate.gender == "female"
    assert last.estimate.group.label == "20-29"


def test_what_is_judged_to_be_no_face_is_unknown_however_sure_the_network_is() -> None:
    asked: list[Gray] = []

    def judge(chip: Gray) -> float:
        asked.append(chip)
        return -1.0

    pipe = Pipeline(FakeEngine(0.99), finder=cast(FaceFinder, FakeFinder([face_at(320, 200)])), face_judge=judge)
    faces = [only(observation) for observation in watch(pipe, 60)]
    assert {face.status for face in faces} == {"estimating", "unknown"}
    assert faces[-1].status == "unknown"
    assert len(asked) == 20  # at each detection, not at each frame


def test_a_drawn_face_in_a_still_picture_is_unknown() -> None:
    picture = np.full((320, 320), 225, np.uint8)
    cv2.ellipse(picture, (160, 165), (85, 110), 0, 0, 360, 190, cv2.FILLED, cv2.LINE_AA)
    for x in (122, 198):
        cv2.ellipse(picture, (x, 135), (20, 11), 0, 0, 360, 250, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(picture, (x, 135), 10, 30, cv2.FILLED, cv2.LINE_AA)
        cv2.line(picture, (x - 24, 108), (x + 24, 108), 40, 7, cv2.LINE_AA)
    cv2.line(picture, (160, 140), (160, 188), 120, 8, cv2.LINE_AA)
    cv2.ellipse(picture, (160, 222), (34, 12), 0, 0, 180, 60, 6, cv2.LINE_AA)
    found = SimpleNamespace(detect_in_still=lambda _gray: [face_at(160, 135, 76)])  # as the detector may take it
    (observed,) = estimate_still(picture, cast(FaceFinder, found), FakeEngine(0.99))
    assert observed.quality > GOOD
    assert observed.status == "unknown"


def test_frames_keep_their_numbers_and_answers_come_in_order() -> None:
    observations = watch(pipeline(FakeFinder()), 5, start=7)
    assert [observation.frame for observation in observations] == [7, 8, 9, 10, 11]
    times = [observation.time for observation in observations]
    assert times == sorted(times)


@pytest.mark.parametrize("rate", [25.0, 30.0, 60.0])
def test_detection_keeps_to_its_schedule_and_follows_in_between(rate: float) -> None:
    finder = FakeFinder([face_at(320, 200)])
    frames = int(2 * rate)
    watch(pipeline(finder), frames, rate)
    between = int(np.ceil(DETECT_EVERY * rate - 1e-6))
    assert len(finder.detections) == int(np.ceil(frames / between))
    assert finder.follows == frames - len(finder.detections)


def test_the_schedule_is_the_source_s_time_not_the_number_of_frames() -> None:
    finder = FakeFinder([face_at(320, 200)])
    watch(pipeline(finder), 10, rate=5.0)
    assert len(finder.detections) == 10


def test_a_face_that_is_gone_is_not_listed_for_long() -> None:
    finder = FakeFinder([face_at(320, 200)])
    pipe = pipeline(finder)
    watch(pipe, 10)
    finder.faces = []
    observations = watch(pipe, 15, start=10)
    gone = [not observation.faces for observation in observations]
    assert gone[-1]
    assert not gone[0]
    assert gone == sorted(gone)  # it does not come back


def test_small_faces_are_found_by_a_slow_scan_at_full_size() -> None:
    finder = FakeFinder()
    finder.small = [face_at(320, 200, 12)]
    pipe = pipeline(finder)
    observations = watch(pipe, int(25 * (SCAN_EVERY + 0.2)))
    assert any(observation.faces for observation in observations)
    assert finder.detections.count(1.0) <= 2


def test_a_bad_chip_is_not_evidence() -> None:
    engine = FakeEngine()
    pipe = pipeline(FakeFinder([face_at(320, 200)]), engine)
    observations = []
    for index in range(60):
        frame = frame_at(index)
        dark = dataclasses.replace(frame, image=(frame.image // 30).astype(np.uint8))
        observations.append(pipe.process(dark))
    assert engine.batches == []
    assert only(observations[0]).status == "estimating"
    assert only(observations[-1]).status == "unknown"
    assert only(observations[-1]).estimate is None


def test_an_implausible_detection_is_no_face() -> None:
    face = face_at(320, 200)
    landmarks = face.landmarks.copy()
    landmarks[4, 1] -= 100
    observations = watch(pipeline(FakeFinder([dataclasses.replace(face, landmarks=landmarks)])), 5)
    assert all(observation.faces == () for observation in observations)


def test_all_faces_of_a_frame_go_through_the_engine_together() -> None:
    engine = FakeEngine()
    watch(pipeline(FakeFinder([face_at(150, 200), face_at(450, 200)]), engine), 3)
    assert engine.batches == [2, 2, 2]


def test_every_face_of_a_still_is_reported_whatever_its_quality(finder: FaceFinder, portrait: Gray) -> None:
    engine = FakeEngine()
    (good,) = estimate_still(portrait, finder, engine)
    assert good.status == "known"
    dim = (portrait * 0.12).astype(np.uint8)
    faces = estimate_still(dim, finder, engine)
    assert [face.status for face in faces] == ["unknown"]
    assert faces[0].estimate is not None


def test_a_still_without_a_face_is_empty(finder: FaceFinder) -> None:
    assert estimate_still(np.full((100, 100), 90, np.uint8), finder, FakeEngine()) == []


def test_the_demo_clip_s_people_are_followed_and_known(finder: FaceFinder) -> None:
    pipe = Pipeline(FakeEngine(), finder=finder)
    statuses = []
    for frame in open_source(DEMO).frames():
        assert frame is not None
        if frame.time > 6:
            break
        statuses.append([face.status for face in pipe.process(frame).faces])
    assert ["known"] in statuses
    assert statuses[0] == []


class FakeLiveness:
    """Answers as it was told to, and remembers what it was asked."""

    def __init__(self, live: bool) -> None:
        self.live = live
        self.asked: list[tuple[int, float]] = []

    def judge(self, _gray: Gray, track: int, _face: Face, time: float) -> bool:
        self.asked.append((track, time))
        return self.live


def test_nobody_is_judged_to_be_alive_unless_asked_for() -> None:
    assert all(only(observation).live is None for observation in watch(pipeline(FakeFinder([face_at(320, 200)])), 5))


@pytest.mark.parametrize("live", [True, False])
def test_a_face_alone_is_judged_in_every_frame_while_that_is_asked_for(live: bool) -> None:
    pipe = pipeline(FakeFinder([face_at(320, 200)]))
    judge = FakeLiveness(live)
    pipe.liveness = cast(Liveness, judge)
    assert [only(observation).live for observation in watch(pipe, 5)] == [live] * 5
    assert judge.asked == [(1, index / 25) for index in range(5)]
    pipe.liveness = None
    assert [only(observation).live for observation in watch(pipe, 5, start=5)] == [None] * 5


def test_of_two_faces_neither_is_judged_to_be_alive() -> None:
    judge = FakeLiveness(True)
    pipe = pipeline(FakeFinder([face_at(150, 200), face_at(450, 200)]))
    pipe.liveness = cast(Liveness, judge)
    assert all(face.live is False for observation in watch(pipe, 5) for face in observation.faces)
    assert judge.asked == []


def test_noticing_asks_no_engine_and_keeps_nobody() -> None:
    finder, engine = FakeFinder([face_at(320, 200, 60), face_at(100, 200)]), FakeEngine()
    pipe = pipeline(finder, engine)
    observations = [pipe.notice(frame_at(index)) for index in range(30)]
    assert engine.batches == []
    assert finder.follows == 0
    assert len(finder.detections) == 10  # at 25 frames a second, every third
    for observation in observations:
        assert [face.track for face in observation.faces] == [1, 2]
        assert {(face.status, face.estimate, face.quality) for face in observation.faces} == {("unknown", None, 0.0)}
    finder.faces = []
    assert [pipe.notice(frame_at(index)).faces for index in range(30, 36)][-1] == ()


def test_whoever_is_forgotten_is_somebody_new() -> None:
    pipe = pipeline(FakeFinder([face_at(320, 200)]))
    assert only(watch(pipe, 10)[-1]).status == "known"
    pipe.forget()
    face = only(watch(pipe, 1, start=10)[0])
    assert (face.track, face.status) == (1, "estimating")
