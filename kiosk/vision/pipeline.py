"""One frame's walk: find or follow faces, cut crops, ask the engine, fuse along tracks.

What is done in which frame is `schedule`'s to say: faces are detected a few times a second in a copy just
large enough for the smallest face that is wanted at once, and smaller ones in parts of the frame in turn.
In between, each face's landmarks are followed, which costs a hundredth. All times are the source's own.
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
from kiosk.vision.faces.geometry import Face, plausible
from kiosk.vision.faces.image import Gray, gray_of
from kiosk.vision.faces.quality import GOOD
from kiosk.vision.liveness.liveness import Liveness
from kiosk.vision.tracking.motion import Motion
from kiosk.vision.tracking.schedule import IDLE_EVERY, Schedule
from kiosk.vision.tracking.tiled_search import TiledSearch
from kiosk.vision.tracking.tracker import Seen, Track, Tracks

_DRIFT = 0.5  # least overlap of a followed face with where it should be
_SAME_FACE = 0.3  # overlap from which two findings are one face


class Pipeline:
    """Frames in, observations out. Use it from one thread."""

    def __init__(
        self,
        engine: Engine,
        *,
        smallest_face: float = 0.2,
        finder: FaceFinder | None = None,
        liveness: Liveness | None = None,
        face_judge: Callable[[Gray], float] | None = None,
    ) -> None:
        """`smallest_face` is the share of the frame's height from which faces are found at once.

        `face_judge` gives a crop's log odds for a real face; by default it is the kiosk's own.
        """
        self.liveness = liveness
        """Judges whether a face alone in view is alive; None, which costs nothing, while no age check runs."""
        self.tells_landmarks = False
        """Whether faces are told with their landmarks: only while service mode looks on."""
        self._engine = engine
        self._finder = finder or FaceFinder()
        self._face_judge = face_judge or nonface_filter.load()
        self._smallest_face = smallest_face
        self._started = clock.monotonic()
        self.forget()

    def forget(self) -> None:
        """Forgets everybody: whoever is in view is somebody new from now on."""
        self._tracks = Tracks(self._engine.manifest.groups, self._engine.manifest.gender_labels)
        self._noticed: list[Face] = []
        self._schedule = Schedule()
        self._motion = Motion()
        self._scan = TiledSearch(self._smallest_face)

    @property
    def frames_every(self) -> float:
        """Seconds between two frames that are wanted; 0 for every frame."""
        return IDLE_EVERY if self._schedule.idle else 0.0

    def notice(self, frame: Frame) -> Observation:
        """Where somebody is to be seen, and nothing else: no crop is cut, no engine asked, nobody told from another.

        The faces' numbers are their order by size in this frame.
        """
        detecting = self._schedule.detection_due(frame.time, in_view=bool(self._noticed))
        if detecting or not self._schedule.idle:
            gray = gray_of(frame.image)
            if detecting:
                self._noticed = self._detected(gray, self._noticed, frame.time)
            self._noticed += self._scanned(gray, self._noticed, frame.time, detecting=detecting)
            self._noticed.sort(key=lambda face: face.eye_distance, reverse=True)
        boxes = [tuple(round(side) for side in face.box) for face in self._noticed]
        faces = tuple(
            FaceObservation(number, (left, top, width, height), 0.0, "unknown")
            for number, (left, top, width, height) in enumerate(boxes, 1)
        )
        return self._observation(frame, faces)

    def process(self, frame: Frame) -> Observation:
        """What is to be seen in a frame. Raises `EngineError`."""
        time = frame.time
        in_view = self._tracks.listed(time)
        detecting = self._schedule.detection_due(time, in_view=bool(in_view))
        if self._schedule.idle and not detecting:
            return self._observation(frame, ())
        gray = gray_of(frame.image)
        seen: list[Seen] = []
        if not detecting:
            seen = self._followed(gray, in_view, time)
            missed = any(track.last_detected < self._schedule.last_detection for track in in_view)
            lost = missed or len(seen) < len(in_view)
            detecting = lost and self._schedule.detection_due(time, in_view=True, lost=True)
        if detecting:
            expected = [track.foreseen(time) for track in in_view]
            seen = self._taken_in(gray, self._detected(gray, expected, time), time)
        known = [track.face for track in self._tracks.listed(time)]
        seen += self._taken_in(gray, self._scanned(gray, known, time, detecting=detecting), time)
        self._estimate(seen, time)
        alive = self._alive(gray, [track for track, _ in seen], time)
        listed = self._tracks.listed(time)
        for track in listed:
            track.update_status(time)
        return self._observation(
            frame,
            tuple(
                track.observed(None if alive is None else track.number == alive, landmarks=self.tells_landmarks)
                for track in listed
            ),
        )

    def _observation(self, frame: Frame, faces: tuple[FaceObservation, ...]) -> Observation:
        now = clock.monotonic()
        return Observation(now - self._started, frame.index, (now - frame.captured) * 1000, faces)

    def _detected(self, gray: Gray, expected: list[Face], time: float) -> list[Face]:
        """The faces of a frame; one that is `expected` somewhere is looked for there, too."""
        scale = detection_scale(gray.shape[0], self._smallest_face)
        faces = [face for face in self._finder.detect(gray, scale) if plausible(face)]
        for before in expected:
            if _apart(before, faces):
                near = self._finder.detect_near(gray, before)
                if near and plausible(near) and near.overlap(before) > _SAME_FACE and _apart(near, faces):
                    faces.append(near)
        moved = not faces and self._motion.moved(gray)
        if faces:
            self._motion.forget()
        self._schedule.detected(time, alive=bool(faces) or moved)
        return faces

    def _scanned(self, gray: Gray, known: list[Face], time: float, *, detecting: bool) -> list[Face]:
        """Small faces that nobody knows of yet, in the parts of the frame whose turn it is."""
        found: list[Face] = []
        for area in self._scan.areas(gray, time, self._schedule, known, detecting=detecting):
            for face in self._finder.detect(gray, self._scan.scale_of(gray), area):
                # So much texture is searched that what hardly looks like a face would mostly be none.
                if plausible(face) and face.score >= CONVINCING and _apart(face, known + found):
                    found.append(face)
        return found

    def _taken_in(self, gray: Gray, faces: list[Face], time: float) -> list[Seen]:
        sightings = [FaceCrop.of(gray, face) for face in faces]
        looks = [
            sighting.look if sighting.quality >= GOOD and not sighting.face.covered_by(faces) else None
            for sighting in sightings
        ]
        tracks = self._tracks.detected(faces, time, looks)
        seen = list(zip(tracks, sightings, strict=True))
        for track, sighting in seen:
            track.quality = sighting.quality
        return seen

    def _followed(self, gray: Gray, tracks: list[Track], time: float) -> list[Seen]:
        """Moves the tracks' faces to where they are now; gives those that could be followed."""
        followed: list[Seen] = []
        for track in tracks:
            foreseen = track.foreseen(time)
            face = self._finder.follow(gray, foreseen)
            if plausible(face) and face.overlap(foreseen) >= _DRIFT:
                followed.append((track, FaceCrop.of(gray, face)))
        seen = self._tracks.apart(followed)
        for track, sighting in seen:
            track.move(sighting.face, time)
            track.quality = sighting.quality
        return seen

    def _alive(self, gray: Gray, seen: list[Track], time: float) -> int | None:
        """The number of the track that was shown to be alive, 0 for nobody's; None while nobody asks."""
        if self.liveness is None:
            return None
        if len(seen) != 1:
            return 0
        (track,) = seen
        return track.number if self.liveness.judge(gray, track.number, track.face, time) else 0

    def _estimate(self, seen: list[Seen], time: float) -> None:
        """Asks the engine about the good crops: all of a new person, later a few a second."""
        asked: list[Seen] = []
        faces = [track.face for track, _ in seen]
        for track, sighting in seen:
            if track.quality < GOOD:
                continue
            detected = track.last_detected == time  # one that was followed may have strayed
            if (track.returned or detected) and not track.face.covered_by(faces):
                self._tracks.recognise(track, sighting.look, time)
            if track.asked.due(time):
                asked.append((track, sighting))
        if not asked:
            return
        answers = self._engine.infer(stacked([sighting.crop for _, sighting in asked]))
        for (track, sighting), gender, age in zip(asked, answers.gender, answers.age, strict=True):
            track.asked.ask(time)
            # Judging costs a millisecond, so a face that was judged is judged again only when it is detected anew.
            due = track.last_detected == time or track.evidence.face is None
            track.evidence.add(gender, age, track.quality, time, self._face_judge(sighting.crop) if due else None)


def _apart(face: Face, others: list[Face]) -> bool:
    return all(face.overlap(other) <= _SAME_FACE for other in others)


def estimate_still(gray: Gray, finder: FaceFinder, engine: Engine) -> list[FaceObservation]:
    """Every face of a still picture, the largest first, each with its estimate whatever its quality.

    There is no second look at a still picture: a good crop of what is likelier a face than not is `known`, any
    other `unknown`.
    """
    face_judge = nonface_filter.load()
    sightings = [FaceCrop.of(gray, face) for face in finder.detect_in_still(gray)]
    answers = engine.infer(stacked([sighting.crop for sighting in sightings]))
    manifest = engine.manifest
    observed = []
    for index, sighting in enumerate(sightings):
        left, top, width, height = sighting.face.box
        estimate = Estimate(
            manifest.gender_labels,
            tuple(float(value) for value in answers.gender[index]),
            manifest.groups,
            tuple(float(value) for value in answers.age[index]),
        )
        box = round(left), round(top), round(width), round(height)
        known = sighting.quality >= GOOD and plausible(sighting.face) and face_judge(sighting.crop) > 0
        status: Status = "known" if known else "unknown"
        observed.append(FaceObservation(index + 1, box, sighting.quality, status, estimate))
    return observed


def stacked(crops: list[Gray]) -> NDArray[np.float32]:
    """Crops → (n, 1, 75, 75) in 0…1, as every engine wants them."""
    if not crops:
        return np.empty((0, 1, 75, 75), np.float32)
    return np.stack(crops)[:, None] / np.float32(255)
