from __future__ import annotations

import dataclasses
import gc
import sys
from types import SimpleNamespace
from typing import cast

import cv2
import numpy as np
import pytest

from kiosk.estimate import FaceObservation, Observation
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.source import DEMO, open_source
from kiosk.vision.faces import crop
from kiosk.vision.faces.crop import appearance_of
from kiosk.vision.faces.detector import FaceFinder, detection_scale
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray
from kiosk.vision.faces.quality import GOOD
from kiosk.vision.liveness.liveness import Liveness
from kiosk.vision.pipeline import Pipeline, estimate_still
from kiosk.vision.tracking.schedule import DETECT_EVERY_IN_VIEW, FIRST_CALLS, IDLE_AFTER, IDLE_EVERY
from kiosk.vision.tracking.tracker import IN_VIEW_FOR
from tests.fakes.vision import FakeEngine, FakeFinder, face_at, frame_at


def make_pipeline(finder: FakeFinder, engine: FakeEngine | None = None) -> Pipeline:
    return Pipeline(engine or FakeEngine(), finder=cast(FaceFinder, finder), face_filter=lambda _crop: 1.0)


def process_frames(pipe: Pipeline, frames: int, rate: float = 25.0, start: int = 0) -> list[Observation]:
    return [pipe.process(frame_at(index, rate)) for index in range(start, start + frames)]


def only_face(observation: Observation) -> FaceObservation:
    (face,) = observation.faces
    return face


def test_frame_without_faces_runs_no_engine() -> None:
    engine = FakeEngine()
    observations = process_frames(make_pipeline(FakeFinder(), engine), 30)
    assert all(observation.faces == () for observation in observations)
    assert engine.batches == []


def test_face_is_estimated_and_soon_known() -> None:
    observations = process_frames(make_pipeline(FakeFinder([face_at(320, 200)])), 10)
    assert only_face(observations[0]).status == "estimating"
    assert only_face(observations[0]).estimate is not None
    last = only_face(observations[-1])
    assert last.status == "known"
    assert last.track == 1
    assert last.estimate is not None
    assert last.estimate.gender == "female"
    assert last.estimate.group.label == "20-29"


def test_appearance_is_computed_once_per_detected_face(monkeypatch: pytest.MonkeyPatch) -> None:
    described: list[Gray] = []

    def record_call(crop: Gray) -> np.ndarray:
        described.append(crop)
        return appearance_of(crop)

    monkeypatch.setattr(crop, "appearance_of", record_call)
    process_frames(make_pipeline(FakeFinder([face_at(320, 200)])), 1)
    assert len(described) == 1


def test_detection_refused_by_the_nonface_filter_is_unknown_even_at_high_confidence() -> None:
    judged_crops: list[Gray] = []

    def judge(crop: Gray) -> float:
        judged_crops.append(crop)
        return -1.0

    pipe = Pipeline(FakeEngine(0.99), finder=cast(FaceFinder, FakeFinder([face_at(320, 200)])), face_filter=judge)
    faces = [only_face(observation) for observation in process_frames(pipe, 60)]
    assert {face.status for face in faces} == {"estimating", "unknown"}
    assert faces[-1].status == "unknown"
    assert 2 < len(judged_crops) <= 2 / DETECT_EVERY_IN_VIEW  # with a detection, not with each frame


def test_drawn_face_in_a_still_image_is_unknown() -> None:
    picture = np.full((320, 320), 225, np.uint8)
    cv2.ellipse(picture, (160, 165), (85, 110), 0, 0, 360, 190, cv2.FILLED, cv2.LINE_AA)
    for x in (122, 198):
        cv2.ellipse(picture, (x, 135), (20, 11), 0, 0, 360, 250, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(picture, (x, 135), 10, 30, cv2.FILLED, cv2.LINE_AA)
        cv2.line(picture, (x - 24, 108), (x + 24, 108), 40, 7, cv2.LINE_AA)
    cv2.line(picture, (160, 140), (160, 188), 120, 8, cv2.LINE_AA)
    cv2.ellipse(picture, (160, 222), (34, 12), 0, 0, 180, 60, 6, cv2.LINE_AA)
    found = SimpleNamespace(detect_in_still=lambda _gray: [face_at(160, 135, 76)])  # a false detection
    (observed,) = estimate_still(picture, cast(FaceFinder, found), FakeEngine(0.99))
    assert observed.quality > GOOD
    assert observed.status == "unknown"


def test_observations_keep_frame_numbers_and_order() -> None:
    observations = process_frames(make_pipeline(FakeFinder()), 5, start=7)
    assert [observation.frame for observation in observations] == [7, 8, 9, 10, 11]
    times = [observation.time for observation in observations]
    assert times == sorted(times)


@pytest.mark.parametrize("rate", [25.0, 30.0, 60.0])
def test_faces_are_detected_on_schedule_and_followed_in_between(rate: float) -> None:
    finder = FakeFinder([face_at(320, 200)])
    frames = int(2 * rate)
    process_frames(make_pipeline(finder), frames, rate)
    between = int(np.ceil(DETECT_EVERY_IN_VIEW * rate - 1e-6))
    assert finder.detections == int(np.ceil(frames / between))
    assert finder.follows == frames - finder.detections


def test_schedule_uses_the_source_time_not_the_frame_count() -> None:
    finder = FakeFinder([face_at(320, 200)])
    process_frames(make_pipeline(finder), 10, rate=5.0)
    assert finder.detections == 10


@pytest.mark.parametrize("rate", [12.5, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("has_other_face", [False, True])
def test_new_face_is_found_within_200_ms(rate: float, has_other_face: bool) -> None:
    there = [face_at(120, 240)] if has_other_face else []
    for arrival in range(20, 20 + int(rate / 4) + 1):
        finder = FakeFinder(there)
        pipe = make_pipeline(finder)
        process_frames(pipe, arrival, rate)
        finder.faces = [face_at(450, 240), *there]
        seen = process_frames(pipe, int(np.ceil(0.2 * rate)), rate, start=arrival)
        assert len(seen[-1].faces) == 1 + has_other_face, arrival


@pytest.mark.parametrize("rate", [12.5, 25.0, 30.0, 60.0])
def test_face_that_left_is_dropped_within_300_ms(rate: float) -> None:
    for departure in range(20, 20 + int(rate / 4) + 1):
        finder = FakeFinder([face_at(320, 200)])
        pipe = make_pipeline(finder)
        process_frames(pipe, departure, rate)
        finder.faces = []
        gone = process_frames(pipe, int(np.ceil(IN_VIEW_FOR * rate)) + 1, rate, start=departure)[-1]
        assert gone.faces == (), departure


def test_face_that_jumps_is_detected_again_at_once() -> None:
    finder = FakeFinder([face_at(220, 200)])
    pipe = make_pipeline(finder)
    process_frames(pipe, 7, rate=30)  # detections in frames 0 and 5
    before = finder.detections
    finder.faces = [face_at(270, 200)]
    observation = process_frames(pipe, 1, rate=30, start=7)[0]
    assert finder.detections == before + 1
    assert only_face(observation).track == 1
    assert only_face(observation).box[0] == round(face_at(270, 200).box[0])


def test_missed_face_is_searched_again_around_its_position() -> None:
    finder = FakeFinder()
    pipe = make_pipeline(finder)
    finder.faces = [face_at(320, 200)]
    process_frames(pipe, 10)
    finder.small, finder.faces = finder.faces, []  # turned aside: only a search around its position finds it
    assert {only_face(observation).track for observation in process_frames(pipe, 50, start=10)} == {1}


def test_face_that_is_gone_leaves_the_list_and_stays_out() -> None:
    finder = FakeFinder([face_at(320, 200)])
    pipe = make_pipeline(finder)
    process_frames(pipe, 10)
    finder.faces = []
    observations = process_frames(pipe, 15, start=10)
    gone = [not observation.faces for observation in observations]
    assert gone[-1]
    assert not gone[0]
    assert gone == sorted(gone)  # it does not come back


@pytest.mark.parametrize("rate", [12.5, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("has_other_face", [False, True])
def test_small_face_is_found_anywhere_within_500_ms(rate: float, has_other_face: bool) -> None:
    there = [face_at(320, 360)] if has_other_face else []
    for x, y in ((60, 60), (320, 100), (580, 60), (60, 420), (320, 240), (580, 420)):
        finder = FakeFinder(there)
        pipe = make_pipeline(finder)
        process_frames(pipe, 20, rate)
        finder.small = [face_at(x, y, 26)]
        shown = finder.small[0].box
        seen = []
        for index in range(20, 20 + int(np.ceil(0.5 * rate))):
            frame = frame_at(index, rate)
            left, top, side = (int(value) for value in shown[:3])
            frame.image[top : top + side, left : left + side] //= 2
            seen.append(pipe.process(frame))
        assert len(seen[-1].faces) == 1 + has_other_face, (x, y)


@pytest.mark.parametrize(("x", "y"), [(20, 20), (290, 200), (540, 380)])
def test_real_face_of_60_pixels_is_found_and_kept(finder: FaceFinder, portrait: Gray, x: int, y: int) -> None:
    (face,) = finder.detect(portrait)
    scale = 62 / face.box[2]
    small = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    left, top = round(face.box[0] * scale) - 15, round(face.box[1] * scale) - 20
    person = small[max(top, 0) : top + 100, max(left, 0) : left + 92]
    image = np.full((480, 640, 3), 110, np.uint8)
    image[y : y + person.shape[0], x : x + person.shape[1]] = person[:, :, None]
    assert not finder.detect(image[:, :, 0], detection_scale(480, 0.2))
    pipe = Pipeline(FakeEngine(), finder=finder)
    observations = [pipe.process(Frame(image, index, index / 25, 0.0)) for index in range(50)]
    assert observations[12].faces
    assert {only_face(observation).track for observation in observations[12:]} == {1}


def test_frame_is_searched_whole_or_in_one_tile_but_not_both() -> None:
    finder = FakeFinder([face_at(320, 200)])
    pipe = make_pipeline(finder)
    for index in range(60):
        before = finder.detections, len(finder.searched_areas)
        pipe.process(frame_at(index))
        assert finder.detections == before[0] or len(finder.searched_areas) == before[1]
        assert len(finder.searched_areas) <= before[1] + 1  # never more than one tile in one frame
    assert finder.searched_areas


def test_small_face_stays_in_view_once_found() -> None:
    finder = FakeFinder()
    finder.small = [face_at(320, 200, 26)]
    observations = process_frames(make_pipeline(finder), 60)
    first = next(index for index, observation in enumerate(observations) if observation.faces)
    assert {only_face(observation).track for observation in observations[first:]} == {1}


def test_bad_crop_is_not_sent_to_the_engine() -> None:
    engine = FakeEngine()
    pipe = make_pipeline(FakeFinder([face_at(320, 200)]), engine)
    observations = []
    for index in range(60):
        frame = frame_at(index)
        dark = dataclasses.replace(frame, image=(frame.image // 30).astype(np.uint8))
        observations.append(pipe.process(dark))
    assert engine.batches == []
    assert only_face(observations[0]).status == "estimating"
    assert only_face(observations[-1]).status == "unknown"
    assert only_face(observations[-1]).estimate is None


def test_implausible_detection_is_dropped() -> None:
    face = face_at(320, 200)
    landmarks = face.landmarks.copy()
    landmarks[4, 1] -= 100
    observations = process_frames(make_pipeline(FakeFinder([dataclasses.replace(face, landmarks=landmarks)])), 5)
    assert all(observation.faces == () for observation in observations)


def test_engine_gets_every_crop_of_a_new_person_and_later_five_a_second() -> None:
    engine = FakeEngine()
    pipe = make_pipeline(FakeFinder([face_at(320, 200)]), engine)
    process_frames(pipe, FIRST_CALLS)
    assert len(engine.batches) == FIRST_CALLS
    observations = process_frames(pipe, 100, start=FIRST_CALLS)
    assert len(engine.batches) == FIRST_CALLS + 20  # five a second
    assert {only_face(observation).status for observation in observations} == {"known"}


def test_all_faces_of_a_frame_are_one_batch() -> None:
    engine = FakeEngine()
    process_frames(make_pipeline(FakeFinder([face_at(150, 200), face_at(450, 200)]), engine), 3)
    assert engine.batches == [2, 2, 2]


def test_every_face_of_a_still_image_is_reported_at_any_quality(finder: FaceFinder, portrait: Gray) -> None:
    engine = FakeEngine()
    (good,) = estimate_still(portrait, finder, engine)
    assert good.status == "known"
    dim = (portrait * 0.12).astype(np.uint8)
    faces = estimate_still(dim, finder, engine)
    assert [face.status for face in faces] == ["unknown"]
    assert faces[0].estimate is not None


def test_still_image_without_a_face_gives_no_observation(finder: FaceFinder) -> None:
    assert estimate_still(np.full((100, 100), 90, np.uint8), finder, FakeEngine()) == []


def test_people_of_the_demo_clip_become_known(finder: FaceFinder) -> None:
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
    """Returns a fixed result and records the calls."""

    def __init__(self, live: bool) -> None:
        self.live = live
        self.calls: list[tuple[int, float]] = []

    def judge(self, _gray: Gray, track: int, _face: Face, time: float) -> bool:
        self.calls.append((track, time))
        return self.live


def test_liveness_is_not_judged_by_default() -> None:
    assert all(
        only_face(observation).live is None
        for observation in process_frames(make_pipeline(FakeFinder([face_at(320, 200)])), 5)
    )


@pytest.mark.parametrize("live", [True, False])
def test_single_face_is_judged_in_every_frame_while_liveness_is_on(live: bool) -> None:
    pipe = make_pipeline(FakeFinder([face_at(320, 200)]))
    judge = FakeLiveness(live)
    pipe.liveness = cast(Liveness, judge)
    assert [only_face(observation).live for observation in process_frames(pipe, 5)] == [live] * 5
    assert judge.calls == [(1, index / 25) for index in range(5)]
    pipe.liveness = None
    assert [only_face(observation).live for observation in process_frames(pipe, 5, start=5)] == [None] * 5


def test_two_faces_are_never_live() -> None:
    judge = FakeLiveness(True)
    pipe = make_pipeline(FakeFinder([face_at(150, 200), face_at(450, 200)]))
    pipe.liveness = cast(Liveness, judge)
    assert all(face.live is False for observation in process_frames(pipe, 5) for face in observation.faces)
    assert judge.calls == []


def test_detect_presence_runs_no_engine_and_tracks_nobody() -> None:
    finder, engine = FakeFinder([face_at(320, 200, 60), face_at(100, 200)]), FakeEngine()
    pipe = make_pipeline(finder, engine)
    observations = [pipe.detect_presence(frame_at(index)) for index in range(30)]
    assert engine.batches == []
    assert finder.follows == 0
    assert finder.detections == 8  # at 25 frames a second, every fourth
    for observation in observations:
        assert [face.track for face in observation.faces] == [1, 2]
        assert {(face.status, face.estimate, face.quality) for face in observation.faces} == {("unknown", None, 0.0)}
    finder.faces = []
    assert [pipe.detect_presence(frame_at(index)).faces for index in range(30, 36)][-1] == ()


def test_forget_makes_everybody_a_new_person() -> None:
    pipe = make_pipeline(FakeFinder([face_at(320, 200)]))
    assert only_face(process_frames(pipe, 10)[-1]).status == "known"
    pipe.forget()
    face = only_face(process_frames(pipe, 1, start=10)[0])
    assert (face.track, face.status) == (1, "estimating")


def add_motion(frame: Frame) -> Frame:
    frame.image[200:280, 300:380] = 0
    return frame


def make_idle_pipeline(finder: FakeFinder) -> tuple[Pipeline, int]:
    """Returns a pipeline that idles, and the number of its next frame."""
    pipe = make_pipeline(finder)
    frames = int((IDLE_AFTER + 1) * 25)
    process_frames(pipe, frames)
    assert pipe.frame_interval == IDLE_EVERY
    return pipe, frames


@pytest.mark.parametrize("presence", [False, True])
def test_idle_pipeline_detects_five_times_a_second_and_searches_no_tiles(presence: bool) -> None:
    finder = FakeFinder()
    pipe = make_pipeline(finder)
    process = pipe.detect_presence if presence else pipe.process
    for index in range(100):
        process(frame_at(index))
    finder.detections = 0
    finder.searched_areas.clear()
    for index in range(100, 350):
        assert process(frame_at(index)).faces == ()
    assert finder.detections == 50
    assert finder.searched_areas == []
    assert pipe.frame_interval == IDLE_EVERY


@pytest.mark.parametrize("cause", ["face", "motion"])
def test_idle_pipeline_wakes_within_200_ms(cause: str) -> None:
    for offset in range(6):
        finder = FakeFinder()
        pipe, frames = make_idle_pipeline(finder)
        process_frames(pipe, offset, start=frames)
        if cause == "face":
            finder.faces = [face_at(320, 200)]
        for index in range(frames + offset, frames + offset + 5):
            pipe.process(frame_at(index) if cause == "face" else add_motion(frame_at(index)))
        assert pipe.frame_interval == 0


def test_face_in_view_prevents_idling() -> None:
    pipe = make_pipeline(FakeFinder([face_at(320, 200)]))
    process_frames(pipe, int((IDLE_AFTER + 3) * 25))
    assert pipe.frame_interval == 0


def test_idle_pipeline_needs_only_the_paced_frames() -> None:
    """A camera with a frame interval yields only the frames that are needed; their observations are the same."""
    every, some = FakeFinder(), FakeFinder()
    unpaced, paced = make_pipeline(every), make_pipeline(some)
    observed: dict[int, tuple[FaceObservation, ...]] = {}
    last = float("-inf")
    for index in range(400):
        face = [face_at(320, 200)] if index >= 300 else []
        every.faces = some.faces = face
        frame = frame_at(index)
        observed[index] = unpaced.process(frame).faces
        if frame.time + 1e-6 >= last + paced.frame_interval:
            last = frame.time
            assert paced.process(frame).faces == observed[index]
    assert every.detections == some.detections


def test_memory_does_not_grow_over_20_000_frames() -> None:
    finder = FakeFinder()
    pipe = make_pipeline(finder)
    image = np.random.default_rng(0).integers(60, 200, (72, 96, 3), dtype=np.uint8)
    for index in range(20_000):
        if index % 50 == 0:  # a person appears somewhere, or all leave
            place = (index * 7) % 60
            finder.faces = [face_at(20 + place, 30, 12)] if index % 150 else []
        pipe.process(Frame(image, index, index / 25, 0.0))
        if index == 2_000:
            early = count_allocated_blocks()
    assert count_allocated_blocks() < early + 1_000


def count_allocated_blocks() -> int:
    """Returns the number of memory blocks that Python has allocated; every array has one."""
    gc.collect()
    return sys.getallocatedblocks()
