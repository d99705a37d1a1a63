"""One frame's walk: find or follow faces, cut chips, ask the engine, fuse along tracks.

Faces are detected every `DETECT_EVERY` seconds of the source's time, in a copy just large enough
for the smallest face that is wanted at once. In between, each face's landmarks are followed, which
costs a hundredth. While nobody is in view, a slower scan at full size looks for smaller faces.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kiosk.engine import Engine
from kiosk.estimate import Estimate, FaceObservation, Observation
from kiosk.vision import facelike
from kiosk.vision.camera import Frame
from kiosk.vision.faces import Face, FaceFinder, Gray, align, detection_scale, gray_of, plausible
from kiosk.vision.liveness import Liveness
from kiosk.vision.quality import GOOD, quality
from kiosk.vision.tracks import Track, Tracks

DETECT_EVERY = 0.1
"""Seconds between two detections."""

SCAN_EVERY = 1.0
"""Seconds between two slow scans at full size, while nobody is in view."""

_DRIFT = 0.5  # least overlap of a followed face with where it was a frame ago
_SHADE = 1e-6  # frame times are sums of fractions: a frame due at exactly 0.1 s may say 0.0999…


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

        `face_judge` gives a chip's log odds for a real face; by default it is the kiosk's own.
        """
        self.liveness = liveness
        """Judges whether a face alone in view is alive; None, which costs nothing, while no age check runs."""
        self._engine = engine
        self._finder = finder or FaceFinder()
        self._face_judge = face_judge or facelike.load()
        self._smallest_face = smallest_face
        self._tracks = Tracks(engine.manifest.groups, engine.manifest.gender_labels)
        self._noticed: tuple[FaceObservation, ...] = ()
        self._next_detection = self._next_scan = 0.0
        self._started = clock.monotonic()

    def forget(self) -> None:
        """Forgets everybody: whoever is in view is somebody new from now on."""
        self._tracks = Tracks(self._engine.manifest.groups, self._engine.manifest.gender_labels)
        self._noticed = ()
        self._next_detection = self._next_scan = 0.0

    def notice(self, frame: Frame) -> Observation:
        """Where somebody is to be seen, and nothing else: no chip is cut, no engine asked, nobody told from another.

        The faces' numbers are their order by size in this frame.
        """
        if frame.time + _SHADE >= self._next_detection:
            self._next_detection = frame.time + DETECT_EVERY
            faces = self._detected(gray_of(frame.image), frame.time)
            boxes = [tuple(round(side) for side in face.box) for face in faces]
            self._noticed = tuple(
                FaceObservation(number, (left, top, width, height), 0.0, "unknown")
                for number, (left, top, width, height) in enumerate(boxes, 1)
            )
        return self._observation(frame, self._noticed)

    def process(self, frame: Frame) -> Observation:
        """What is to be seen in a frame. Raises `EngineError`."""
        gray = gray_of(frame.image)
        if frame.time + _SHADE >= self._next_detection:
            self._next_detection = frame.time + DETECT_EVERY
            seen = self._tracks.detected(self._detected(gray, frame.time), frame.time)
        else:
            seen = [track for track in self._tracks.listed(frame.time) if self._followed(gray, track)]
        self._estimate(gray, seen, frame.time)
        alive = self._alive(gray, seen, frame.time)
        listed = self._tracks.listed(frame.time)
        for track in listed:
            track.update_status(frame.time)
        return self._observation(
            frame, tuple(track.observed(None if alive is None else track.number == alive) for track in listed)
        )

    def _observation(self, frame: Frame, faces: tuple[FaceObservation, ...]) -> Observation:
        now = clock.monotonic()
        return Observation(now - self._started, frame.index, (now - frame.captured) * 1000, faces)

    def _detected(self, gray: Gray, time: float) -> list[Face]:
        scale = detection_scale(gray.shape[0], self._smallest_face)
        faces = [face for face in self._finder.detect(gray, scale) if plausible(face)]
        if faces or self._tracks.listed(time):
            self._next_scan = time + SCAN_EVERY
        elif scale < 1 and time >= self._next_scan:
            self._next_scan = time + SCAN_EVERY
            faces = [face for face in self._finder.detect(gray) if plausible(face)]
        return faces

    def _followed(self, gray: Gray, track: Track) -> bool:
        """Moves a track's face to where it is now; False where it cannot be followed."""
        face = self._finder.follow(gray, track.face)
        if not plausible(face) or face.overlap(track.face) < _DRIFT:
            return False
        track.face = face
        return True

    def _alive(self, gray: Gray, seen: list[Track], time: float) -> int | None:
        """The number of the track that was shown to be alive, 0 for nobody's; None while nobody asks."""
        if self.liveness is None:
            return None
        if len(seen) != 1:
            return 0
        (track,) = seen
        return track.number if self.liveness.judge(gray, track.number, track.face, time) else 0

    def _estimate(self, gray: Gray, seen: list[Track], time: float) -> None:
        good: list[tuple[Track, Gray]] = []
        for track in seen:
            chip = align(gray, track.face)
            track.quality = quality(chip, track.face)
            if track.quality >= GOOD:
                self._tracks.recognise(track, chip, time)
                good.append((track, chip))
        if not good:
            return
        answers = self._engine.infer(stacked([chip for _, chip in good]))
        for (track, chip), gender, age in zip(good, answers.gender, answers.age, strict=True):
            # Judging costs a millisecond, so a face that was judged is judged again only when it is detected anew.
            due = track.face.score > 0 or track.evidence.face is None
            track.evidence.add(gender, age, track.quality, time, self._face_judge(chip) if due else None)


def estimate_still(gray: Gray, finder: FaceFinder, engine: Engine) -> list[FaceObservation]:
    """Every face of a still picture, the largest first, each with its estimate whatever its quality.

    There is no second look at a still picture: a good chip of what is likelier a face than not is `known`, any
    other `unknown`.
    """
    face_judge = facelike.load()
    faces = finder.detect_in_still(gray)
    chips = [align(gray, face) for face in faces]
    answers = engine.infer(stacked(chips))
    manifest = engine.manifest
    observed = []
    for index, (face, chip) in enumerate(zip(faces, chips, strict=True)):
        left, top, width, height = face.box
        worth = quality(chip, face)
        estimate = Estimate(
            manifest.gender_labels,
            tuple(float(value) for value in answers.gender[index]),
            manifest.groups,
            tuple(float(value) for value in answers.age[index]),
        )
        box = round(left), round(top), round(width), round(height)
        known = worth >= GOOD and plausible(face) and face_judge(chip) > 0
        observed.append(FaceObservation(index + 1, box, worth, "known" if known else "unknown", estimate))
    return observed


def stacked(chips: list[Gray]) -> NDArray[np.float32]:
    """Chips → (n, 1, 75, 75) in 0…1, as every engine wants them."""
    if not chips:
        return np.empty((0, 1, 75, 75), np.float32)
    return np.stack(chips)[:, None] / np.float32(255)
