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
from kiosk.vision.tracking.tracker import LISTED_FOR
from tests.fakes.vision import FakeEngine, FakeFinder, face_at, frame_at


def pipeline(finder: FakeFinder, engine: FakeEngine | None = None) -> Pipeline:
    return Pipeline(engine or FakeEngine(), finder=cast(FaceFinder, finder), face_filter=lambda _crop: 1.0)


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


def test_what_a_face_looks_like_is_worked_out_once_where_it_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[Gray] = []

    def counted(crop: Gray) -> np.ndarray:
        looked_at.append(crop)
        return appearance_of(crop)

    monkeypatch.setattr(crop, "appearance_of", counted)
    watch(pipeline(FakeFinder([face_at(320, 200)])), 1)
    assert len(looked_at) == 1


def test_what_is_judged_to_be_no_face_is_unknown_however_sure_the_network_is() -> None:
    asked: list[Gray] = []

    def judge(crop: Gray) -> float:
        asked.append(crop)
        return -1.0

    pipe = Pipeline(FakeEngine(0.99), finder=cast(FaceFinder, FakeFinder([face_at(320, 200)])), face_filter=judge)
    faces = [only(observation) for observation in watch(pipe, 60)]
    assert {face.status for face in faces} == {"estimating", "unknown"}
    assert faces[-1].status == "unknown"
    assert 2 < len(asked) <= 2 / DETECT_EVERY_IN_VIEW  # with a detection, not with each frame


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
    between = int(np.ceil(DETECT_EVERY_IN_VIEW * rate - 1e-6))
    assert finder.detections == int(np.ceil(frames / between))
    assert finder.follows == frames - finder.detections


def test_the_schedule_is_the_source_s_time_not_the_number_of_frames() -> None:
    finder = FakeFinder([face_at(320, 200)])
    watch(pipeline(finder), 10, rate=5.0)
    assert finder.detections == 10


@pytest.mark.parametrize("rate", [12.5, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("somebody", [False, True])
def test_a_new_face_is_found_within_200_ms_whoever_else_is_there(rate: float, somebody: bool) -> None:
    there = [face_at(120, 240)] if somebody else []
    for arrival in range(20, 20 + int(rate / 4) + 1):
        finder = FakeFinder(there)
        pipe = pipeline(finder)
        watch(pipe, arrival, rate)
        finder.faces = [face_at(450, 240), *there]
        seen = watch(pipe, int(np.ceil(0.2 * rate)), rate, start=arrival)
        assert len(seen[-1].faces) == 1 + somebody, arrival


@pytest.mark.parametrize("rate", [12.5, 25.0, 30.0, 60.0])
def test_a_face_that_left_is_dropped_within_300_ms(rate: float) -> None:
    for departure in range(20, 20 + int(rate / 4) + 1):
        finder = FakeFinder([face_at(320, 200)])
        pipe = pipeline(finder)
        watch(pipe, departure, rate)
        finder.faces = []
        gone = watch(pipe, int(np.ceil(LISTED_FOR * rate)) + 1, rate, start=departure)[-1]
        assert gone.faces == (), departure


def test_a_face_that_leaps_is_detected_anew_at_once() -> None:
    finder = FakeFinder([face_at(220, 200)])
    pipe = pipeline(finder)
    watch(pipe, 7, rate=30)  # detections in frames 0 and 5
    before = finder.detections
    finder.faces = [face_at(270, 200)]
    observation = watch(pipe, 1, rate=30, start=7)[0]
    assert finder.detections == before + 1
    assert only(observation).track == 1
    assert only(observation).box[0] == round(face_at(270, 200).box[0])


def test_a_detection_that_misses_is_made_up_for_by_a_look_at_the_face_s_place() -> None:
    finder = FakeFinder()
    pipe = pipeline(finder)
    finder.faces = [face_at(320, 200)]
    watch(pipe, 10)
    finder.small, finder.faces = finder.faces, []  # turned aside: only a look there still finds it
    assert {only(observation).track for observation in watch(pipe, 50, start=10)} == {1}


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


@pytest.mark.parametrize("rate", [12.5, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("somebody", [False, True])
def test_a_small_face_is_found_within_500_ms_wherever_it_is(rate: float, somebody: bool) -> None:
    there = [face_at(320, 360)] if somebody else []
    for x, y in ((60, 60), (320, 100), (580, 60), (60, 420), (320, 240), (580, 420)):
        finder = FakeFinder(there)
        pipe = pipeline(finder)
        watch(pipe, 20, rate)
        finder.small = [face_at(x, y, 26)]
        shown = finder.small[0].box
        seen = []
        for index in range(20, 20 + int(np.ceil(0.5 * rate))):
            frame = frame_at(index, rate)
            left, top, side = (int(value) for value in shown[:3])
            frame.image[top : top + side, left : left + side] //= 2
            seen.append(pipe.process(frame))
        assert len(seen[-1].faces) == 1 + somebody, (x, y)


@pytest.mark.parametrize(("x", "y"), [(20, 20), (290, 200), (540, 380)])
def test_a_real_face_of_60_pixels_is_found_and_kept(finder: FaceFinder, portrait: Gray, x: int, y: int) -> None:
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
    assert {only(observation).track for observation in observations[12:]} == {1}


def test_a_frame_that_is_searched_as_a_whole_is_not_scanned_besides() -> None:
    finder = FakeFinder([face_at(320, 200)])
    pipe = pipeline(finder)
    for index in range(60):
        before = finder.detections, len(finder.scans)
        pipe.process(frame_at(index))
        assert finder.detections == before[0] or len(finder.scans) == before[1]
        assert len(finder.scans) <= before[1] + 1  # never more than a part in one frame
    assert finder.scans


def test_a_small_face_once_found_stays_in_view() -> None:
    finder = FakeFinder()
    finder.small = [face_at(320, 200, 26)]
    observations = watch(pipeline(finder), 60)
    first = next(index for index, observation in enumerate(observations) if observation.faces)
    assert {only(observation).track for observation in observations[first:]} == {1}


def test_a_bad_crop_is_not_evidence() -> None:
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


def test_the_engine_is_asked_often_about_somebody_new_and_then_seldom() -> None:
    engine = FakeEngine()
    pipe = pipeline(FakeFinder([face_at(320, 200)]), engine)
    watch(pipe, FIRST_CALLS)
    assert len(engine.batches) == FIRST_CALLS
    observations = watch(pipe, 100, start=FIRST_CALLS)
    assert len(engine.batches) == FIRST_CALLS + 20  # five a second
    assert {only(observation).status for observation in observations} == {"known"}


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
        self.calls: list[tuple[int, float]] = []

    def judge(self, _gray: Gray, track: int, _face: Face, time: float) -> bool:
        self.calls.append((track, time))
        return self.live


def test_nobody_is_judged_to_be_alive_unless_asked_for() -> None:
    assert all(only(observation).live is None for observation in watch(pipeline(FakeFinder([face_at(320, 200)])), 5))


@pytest.mark.parametrize("live", [True, False])
def test_a_face_alone_is_judged_in_every_frame_while_that_is_asked_for(live: bool) -> None:
    pipe = pipeline(FakeFinder([face_at(320, 200)]))
    judge = FakeLiveness(live)
    pipe.liveness = cast(Liveness, judge)
    assert [only(observation).live for observation in watch(pipe, 5)] == [live] * 5
    assert judge.calls == [(1, index / 25) for index in range(5)]
    pipe.liveness = None
    assert [only(observation).live for observation in watch(pipe, 5, start=5)] == [None] * 5


def test_of_two_faces_neither_is_judged_to_be_alive() -> None:
    judge = FakeLiveness(True)
    pipe = pipeline(FakeFinder([face_at(150, 200), face_at(450, 200)]))
    pipe.liveness = cast(Liveness, judge)
    assert all(face.live is False for observation in watch(pipe, 5) for face in observation.faces)
    assert judge.calls == []


def test_noticing_asks_no_engine_and_keeps_nobody() -> None:
    finder, engine = FakeFinder([face_at(320, 200, 60), face_at(100, 200)]), FakeEngine()
    pipe = pipeline(finder, engine)
    observations = [pipe.detect_presence(frame_at(index)) for index in range(30)]
    assert engine.batches == []
    assert finder.follows == 0
    assert finder.detections == 8  # at 25 frames a second, every fourth
    for observation in observations:
        assert [face.track for face in observation.faces] == [1, 2]
        assert {(face.status, face.estimate, face.quality) for face in observation.faces} == {("unknown", None, 0.0)}
    finder.faces = []
    assert [pipe.detect_presence(frame_at(index)).faces for index in range(30, 36)][-1] == ()


def test_whoever_is_forgotten_is_somebody_new() -> None:
    pipe = pipeline(FakeFinder([face_at(320, 200)]))
    assert only(watch(pipe, 10)[-1]).status == "known"
    pipe.forget()
    face = only(watch(pipe, 1, start=10)[0])
    assert (face.track, face.status) == (1, "estimating")


def moved(frame: Frame) -> Frame:
    frame.image[200:280, 300:380] = 0
    return frame


def idle_pipeline(finder: FakeFinder) -> tuple[Pipeline, int]:
    """One that nobody stood in front of for long, and the next frame's number."""
    pipe = pipeline(finder)
    frames = int((IDLE_AFTER + 1) * 25)
    watch(pipe, frames)
    assert pipe.frame_interval == IDLE_EVERY
    return pipe, frames


@pytest.mark.parametrize("presence", [False, True])
def test_an_idle_machine_looks_five_times_a_second_and_scans_nothing(presence: bool) -> None:
    finder = FakeFinder()
    pipe = pipeline(finder)
    look = pipe.detect_presence if presence else pipe.process
    for index in range(100):
        look(frame_at(index))
    finder.detections = 0
    finder.scans.clear()
    for index in range(100, 350):
        assert look(frame_at(index)).faces == ()
    assert finder.detections == 50
    assert finder.scans == []
    assert pipe.frame_interval == IDLE_EVERY


@pytest.mark.parametrize("cause", ["face", "motion"])
def test_an_idle_machine_is_awake_within_200_ms(cause: str) -> None:
    for later in range(6):
        finder = FakeFinder()
        pipe, frames = idle_pipeline(finder)
        watch(pipe, later, start=frames)
        if cause == "face":
            finder.faces = [face_at(320, 200)]
        for index in range(frames + later, frames + later + 5):
            pipe.process(frame_at(index) if cause == "face" else moved(frame_at(index)))
        assert pipe.frame_interval == 0


def test_whoever_is_in_view_keeps_the_machine_awake() -> None:
    pipe = pipeline(FakeFinder([face_at(320, 200)]))
    watch(pipe, int((IDLE_AFTER + 3) * 25))
    assert pipe.frame_interval == 0


def test_paced_frames_in_idle_are_those_that_an_unpaced_run_looks_at() -> None:
    """A camera at rest gives only the frames that are wanted; what is seen in them is the same."""
    every, some = FakeFinder(), FakeFinder()
    unpaced, paced = pipeline(every), pipeline(some)
    said: dict[int, tuple[FaceObservation, ...]] = {}
    last = float("-inf")
    for index in range(400):
        face = [face_at(320, 200)] if index >= 300 else []
        every.faces = some.faces = face
        frame = frame_at(index)
        said[index] = unpaced.process(frame).faces
        if frame.time + 1e-6 >= last + paced.frame_interval:
            last = frame.time
            assert paced.process(frame).faces == said[index]
    assert every.detections == some.detections


def test_memory_stays_flat_over_20_000_frames() -> None:
    finder = FakeFinder()
    pipe = pipeline(finder)
    image = np.random.default_rng(0).integers(60, 200, (72, 96, 3), dtype=np.uint8)
    for index in range(20_000):
        if index % 50 == 0:  # somebody comes, somewhere, or everybody goes
            place = (index * 7) % 60
            finder.faces = [face_at(20 + place, 30, 12)] if index % 150 else []
        pipe.process(Frame(image, index, index / 25, 0.0))
        if index == 2_000:
            early = allocated()
    assert allocated() < early + 1_000


def allocated() -> int:
    """Pieces of memory that Python holds; every array has one."""
    gc.collect()
    return sys.getallocatedblocks()
