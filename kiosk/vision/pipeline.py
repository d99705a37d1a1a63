"""Processes frames: detects or follows faces, crops them, calls the engine, and fuses estimates along tracks.

`schedule` decides what happens in which frame. A few times a second, faces are detected in a small copy that is just
large enough for the smallest face to be found at once. Smaller faces are searched for in tiles of the frame, in turn.
In between, each face's landmarks are followed, which costs a hundredth. All times are the source's own, in seconds.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import Estimate, FaceObservation, Observation, Status
from kiosk.inference import Engine
from kiosk.vision.capture.frame import Frame
from kiosk.vision.faces import nonface_filter
from kiosk.vision.faces.crop import FaceCrop
from kiosk.vision.faces.detector import CONVINCING, FaceFinder, detection_scale
from kiosk.vision.faces.geometry import Face, is_plausible
from kiosk.vision.faces.image import Gray, to_gray
from kiosk.vision.faces.quality import GOOD
from kiosk.vision.liveness.liveness import Liveness
from kiosk.vision.tracking.motion import MotionDetector
from kiosk.vision.tracking.schedule import IDLE_EVERY, Schedule
from kiosk.vision.tracking.tiled_search import TiledSearch
from kiosk.vision.tracking.tracker import Track, TrackedCrop, Tracker

_DRIFT = 0.5  # least overlap of a followed face with its predicted position
_SAME_FACE = 0.3  # two detections that overlap more are one face


class Pipeline:
    """Turns frames into observations. Use it from one thread."""

    def __init__(
        self,
        engine: Engine,
        *,
        smallest_face: float = 0.2,
        finder: FaceFinder | None = None,
        liveness: Liveness | None = None,
        face_filter: Callable[[Gray], float] | None = None,
    ) -> None:
        """`smallest_face` is the height of the smallest face found at once, as a share of the frame's height.

        `face_filter` returns a crop's log odds for a real face; by default it is the kiosk's own filter.
        """
        self.liveness = liveness
        """Judges whether a single face in view is live; None, which costs nothing, while no age check runs."""
        self.sends_landmarks = False
        """Whether observations include landmarks, which only service mode needs."""
        self._engine = engine
        self._finder = finder or FaceFinder()
        self._face_filter = face_filter or nonface_filter.load()
        self._smallest_face = smallest_face
        self._started = clock.monotonic()
        self.forget()

    def forget(self) -> None:
        """Forgets all tracks: everybody in view is a new person from now on."""
        self._tracker = Tracker(self._engine.manifest.groups, self._engine.manifest.gender_labels)
        self._present: list[Face] = []
        self._schedule = Schedule()
        self._motion = MotionDetector()
        self._tiles = TiledSearch(self._smallest_face)

    @property
    def frame_interval(self) -> float:
        """Seconds between two frames that the pipeline needs; 0 for every frame."""
        return IDLE_EVERY if self._schedule.idle else 0.0

    def detect_presence(self, frame: Frame) -> Observation:
        """Returns only the boxes of faces: makes no crops, calls no engine and tracks nobody.

        The faces' track numbers are their order by size in this frame.
        """
        detecting = self._schedule.detection_due(frame.time, in_view=bool(self._present))
        if detecting or not self._schedule.idle:
            gray = to_gray(frame.image)
            if detecting:
                self._present = self._detect(gray, self._present, frame.time)
            self._present += self._search_tiles(gray, self._present, frame.time, detecting=detecting)
            self._present.sort(key=lambda face: face.eye_distance, reverse=True)
        boxes = [tuple(round(side) for side in face.box) for face in self._present]
        faces = tuple(
            FaceObservation(number, (left, top, width, height), 0.0, "unknown")
            for number, (left, top, width, height) in enumerate(boxes, 1)
        )
        return self._observation(frame, faces)

    def process(self, frame: Frame) -> Observation:
        """Returns the faces of a frame with their fused estimates. Raises `EngineError`."""
        time = frame.time
        in_view = self._tracker.tracks_in_view(time)
        detecting = self._schedule.detection_due(time, in_view=bool(in_view))
        if self._schedule.idle and not detecting:
            return self._observation(frame, ())
        gray = to_gray(frame.image)
        seen: list[TrackedCrop] = []
        if not detecting:
            seen = self._follow(gray, in_view, time)
            missed = any(track.last_detected < self._schedule.last_detection for track in in_view)
            lost = missed or len(seen) < len(in_view)
            detecting = lost and self._schedule.detection_due(time, in_view=True, lost=True)
        if detecting:
            expected = [track.predict(time) for track in in_view]
            seen = self._update_tracks(gray, self._detect(gray, expected, time), time)
        known = [track.face for track in self._tracker.tracks_in_view(time)]
        seen += self._update_tracks(gray, self._search_tiles(gray, known, time, detecting=detecting), time)
        self._estimate(seen, time)
        alive = self._judge_liveness(gray, [track for track, _ in seen], time)
        in_view_now = self._tracker.tracks_in_view(time)
        for track in in_view_now:
            track.update_status(time)
        return self._observation(
            frame,
            tuple(
                track.observation(None if alive is None else track.number == alive, landmarks=self.sends_landmarks)
                for track in in_view_now
            ),
        )

    def _observation(self, frame: Frame, faces: tuple[FaceObservation, ...]) -> Observation:
        now = clock.monotonic()
        return Observation(now - self._started, frame.index, (now - frame.captured) * 1000, faces)

    def _detect(self, gray: Gray, expected: list[Face], time: float) -> list[Face]:
        """Returns the faces of a frame; searches again around `expected` faces that were not found."""
        scale = detection_scale(gray.shape[0], self._smallest_face)
        faces = [face for face in self._finder.detect(gray, scale) if is_plausible(face)]
        for before in expected:
            if _is_separate(before, faces):
                near = self._finder.detect_near(gray, before)
                if near and is_plausible(near) and near.overlap(before) > _SAME_FACE and _is_separate(near, faces):
                    faces.append(near)
        moved = not faces and self._motion.has_moved(gray)
        if faces:
            self._motion.forget()
        self._schedule.record_detection(time, alive=bool(faces) or moved)
        return faces

    def _search_tiles(self, gray: Gray, known: list[Face], time: float, *, detecting: bool) -> list[Face]:
        """Returns new small faces in the tiles whose turn it is."""
        found: list[Face] = []
        for area in self._tiles.areas_to_search(gray, time, self._schedule, known, detecting=detecting):
            for face in self._finder.detect(gray, self._tiles.scale_of(gray), area):
                # So much texture is searched that most detections with a low score would be false.
                if is_plausible(face) and face.score >= CONVINCING and _is_separate(face, known + found):
                    found.append(face)
        return found

    def _update_tracks(self, gray: Gray, faces: list[Face], time: float) -> list[TrackedCrop]:
        face_crops = [FaceCrop.of(gray, face) for face in faces]
        appearances = [
            face_crop.appearance if face_crop.quality >= GOOD and not face_crop.face.is_covered_by(faces) else None
            for face_crop in face_crops
        ]
        tracks = self._tracker.assign(faces, time, appearances)
        seen = list(zip(tracks, face_crops, strict=True))
        for track, face_crop in seen:
            track.quality = face_crop.quality
        return seen

    def _follow(self, gray: Gray, tracks: list[Track], time: float) -> list[TrackedCrop]:
        """Follows the tracks' faces into this frame; returns those that could be followed."""
        followed: list[TrackedCrop] = []
        for track in tracks:
            predicted = track.predict(time)
            face = self._finder.follow(gray, predicted)
            if is_plausible(face) and face.overlap(predicted) >= _DRIFT:
                followed.append((track, FaceCrop.of(gray, face)))
        seen = self._tracker.drop_strays(followed)
        for track, face_crop in seen:
            track.move(face_crop.face, time)
            track.quality = face_crop.quality
        return seen

    def _judge_liveness(self, gray: Gray, seen: list[Track], time: float) -> int | None:
        """Returns the number of the live track, or 0 for none; None while liveness is not judged."""
        if self.liveness is None:
            return None
        if len(seen) != 1:
            return 0
        (track,) = seen
        return track.number if self.liveness.judge(gray, track.number, track.face, time) else 0

    def _estimate(self, seen: list[TrackedCrop], time: float) -> None:
        """Sends good crops to the engine: the first ones of a new person all, later ones a few times a second."""
        batch: list[TrackedCrop] = []
        faces = [track.face for track, _ in seen]
        for track, face_crop in seen:
            if track.quality < GOOD:
                continue
            detected = track.last_detected == time  # a followed face may have strayed
            if (track.returned or detected) and not track.face.is_covered_by(faces):
                self._tracker.recognise(track, face_crop.appearance, time)
            if track.engine_calls.is_due(time):
                batch.append((track, face_crop))
        if not batch:
            return
        answers = self._engine.infer(stack_crops([face_crop.crop for _, face_crop in batch]))
        for (track, face_crop), gender, age in zip(batch, answers.gender, answers.age, strict=True):
            track.engine_calls.record(time)
            # The filter takes a millisecond, so it judges a face again only after another detection.
            due = track.last_detected == time or track.fusion.face is None
            track.fusion.add(gender, age, track.quality, time, self._face_filter(face_crop.crop) if due else None)


def _is_separate(face: Face, others: list[Face]) -> bool:
    return all(face.overlap(other) <= _SAME_FACE for other in others)


def estimate_still(gray: Gray, finder: FaceFinder, engine: Engine) -> list[FaceObservation]:
    """Returns every face of a still image, the largest first, each with its estimate whatever its quality.

    `gray` is (height, width) uint8. Raises `EngineError`. A face is `known` if its crop is good and it probably is a
    real face, else `unknown`.
    """
    face_filter = nonface_filter.load()
    face_crops = [FaceCrop.of(gray, face) for face in finder.detect_in_still(gray)]
    answers = engine.infer(stack_crops([face_crop.crop for face_crop in face_crops]))
    manifest = engine.manifest
    observed = []
    for index, face_crop in enumerate(face_crops):
        left, top, width, height = face_crop.face.box
        estimate = Estimate(
            manifest.gender_labels,
            tuple(float(value) for value in answers.gender[index]),
            manifest.groups,
            tuple(float(value) for value in answers.age[index]),
        )
        box = round(left), round(top), round(width), round(height)
        known = face_crop.quality >= GOOD and is_plausible(face_crop.face) and face_filter(face_crop.crop) > 0
        status: Status = "known" if known else "unknown"
        observed.append(FaceObservation(index + 1, box, face_crop.quality, status, estimate))
    return observed


def stack_crops(crops: list[Gray]) -> NDArray[np.float32]:
    """Returns n crops, (75, 75) uint8 each, as the engines' input: (n, 1, 75, 75) float32, 0 to 1."""
    if not crops:
        return np.empty((0, 1, 75, 75), np.float32)
    return np.stack(crops)[:, None] / np.float32(255)
