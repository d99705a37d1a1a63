"""Who is who from frame to frame, and what is known of each: identity and fused estimates.

All times are the source's own, so that a clip gives the same tracks however fast it is read. A
track is listed while its face was detected within `LISTED_FOR`. Between detections, and for a moment
behind somebody else, it is expected to move on as it did. Its identity is remembered for `REMEMBERED_FOR`
and taken up again by a face that appears near where it was lost, unless that looks like somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import AgeGroup, FaceObservation, Status
from kiosk.vision.faces.crop import FaceCrop
from kiosk.vision.faces.detector import CONVINCING
from kiosk.vision.faces.geometry import Face
from kiosk.vision.tracking.fusion import TemporalFusion
from kiosk.vision.tracking.schedule import Asked

LISTED_FOR = 0.3
"""Seconds without a detection after which a face is no longer listed."""

REMEMBERED_FOR = 3.0
"""Seconds without a detection after which an identity is forgotten."""

SAME_LOOK = 0.65
"""Correlation of two crops from which they show one person: strangers' seldom come to 0.6 (one pair in
fifty, over FairFace), those of somebody who looked away for a moment are at about 0.9."""

_FRONTAL = 0.12  # nose beside the middle of the eyes, in eye distances, up to which a face is seen from the front
_NEUTRAL = 0.6  # what a crop too bad to compare counts for, between a stranger's correlation and one's own

_SAME_PLACE = 0.25  # least overlap of two boxes (intersection over union) in consecutive frames
_REACH = 1.2  # how far a lost face may be found again, in its own widths, and as much again a second
_SIZE_CHANGE = 1.7  # largest change of size of a face that is found again
_FORESEEN_FOR = 0.6  # seconds for which a face is expected to move on as it did
_VELOCITY_SHARE = 0.3  # of the latest step in the velocity: landmarks tremble by a pixel
_SAME_SPOT = 0.3  # overlap of two tracks from which one of them has strayed onto the other's face


@dataclass
class Track:
    """One person."""

    number: int
    face: Face
    last_detected: float
    evidence: TemporalFusion
    quality: float = 0.0
    best_score: float = 0.0
    look: NDArray[np.float32] | None = None
    """What the last good crop looked like: see `look_of`."""
    frontal_look: NDArray[np.float32] | None = None
    """What the last good crop from the front looked like: a head that was turned aside comes back with it."""
    returned: bool = False
    """Was lost and found again, and no good crop has yet shown whether it is the same person."""
    velocity: complex = 0j
    """Pixels a second that the eyes move, to the right and down."""
    last_moved: float = 0.0
    """When `face` was found or followed to its place."""
    asked: Asked = field(default_factory=Asked)
    """How often the engine was asked about this person."""

    @property
    def status(self) -> Status:
        """Whether what is known of this person is enough."""
        return self.evidence.status

    def update_status(self, time: float) -> None:
        """Moves between estimating, known and unknown by what is known at `time`."""
        self.evidence.update_status(time, trusted=self.best_score >= CONVINCING and not self.returned)

    def move(self, face: Face, time: float) -> None:
        """Takes in where the face was found or followed to at `time`."""
        elapsed = time - self.last_moved
        if elapsed > LISTED_FOR:
            self.velocity = 0j
        elif elapsed > 0:
            step = (sum(face.eyes) - sum(self.face.eyes)) / 2 / elapsed
            self.velocity += _VELOCITY_SHARE * (step - self.velocity)
        self.face, self.last_moved = face, time

    def foreseen(self, time: float) -> Face:
        """The face where it should be at `time`, if it moves on as it did."""
        way = self.velocity * min(time - self.last_moved, _FORESEEN_FOR)
        return Face(self.face.landmarks + np.array([way.real, way.imag]), self.face.score)

    def likeness(self, look: NDArray[np.float32] | None) -> float | None:
        """Correlation of a look with what is remembered of this person's; None where there is nothing to compare."""
        if look is None or self.look is None:
            return None
        looks = (self.look, self.frontal_look)
        return max(float(known @ look) for known in looks if known is not None)

    def observed(self, live: bool | None = None, *, landmarks: bool = False) -> FaceObservation:
        """The track as the rest of the kiosk sees it; `live` is known to whoever judged it. `landmarks`: with them."""
        left, top, width, height = self.face.box
        return FaceObservation(
            track=self.number,
            box=(round(left), round(top), round(width), round(height)),
            quality=self.quality,
            status=self.status,
            estimate=self.evidence.estimate(),
            live=live,
            landmarks=tuple((float(x), float(y)) for x, y in self.face.landmarks) if landmarks else None,
        )


Seen = tuple[Track, FaceCrop]
"""Somebody who is there in this frame."""


class Tracks:
    """Everybody who is in view or was a moment ago."""

    def __init__(self, groups: tuple[AgeGroup, ...], gender_labels: tuple[str, ...]) -> None:
        self._groups = groups
        self._gender_labels = gender_labels
        self._tracks: list[Track] = []
        self._count = 0

    def listed(self, time: float) -> list[Track]:
        """Those in view at `time`, the nearest first."""
        listed = [track for track in self._tracks if time - track.last_detected <= LISTED_FOR]
        return sorted(listed, key=lambda track: track.face.eye_distance, reverse=True)

    def detected(
        self, faces: Sequence[Face], time: float, looks: Sequence[NDArray[np.float32] | None] | None = None
    ) -> list[Track]:
        """Takes in what the detector found at `time`; returns the track of each face, in order.

        `looks` are the faces' looks, see `look_of`, None for one whose crop is not good.
        """
        self._tracks = [track for track in self._tracks if time - track.last_detected <= REMEMBERED_FOR]
        matches = self._matched(faces, time, looks or [None] * len(faces))
        found = []
        for index, face in enumerate(faces):
            track = matches.get(index) or self._begun(face, time)
            track.returned |= time - track.last_detected > LISTED_FOR
            track.move(face, time)
            track.last_detected = time
            track.best_score = max(track.best_score, face.score)
            found.append(track)
        return found

    def apart(self, followed: Sequence[Seen]) -> list[Seen]:
        """Of tracks that were followed, each to where it is seen now, those that are on nobody else's face.

        When two people cross, both are followed onto the one in front. Only the one who looks like it is there.
        """
        kept: list[Seen] = []
        for entry in sorted(followed, key=_own_likeness, reverse=True) if len(followed) > 1 else followed:
            if all(entry[1].face.overlap(other.face) < _SAME_SPOT for _, other in kept):
                kept.append(entry)
        return kept

    def recognise(self, track: Track, look: NDArray[np.float32], time: float) -> None:
        """Takes in a good crop's look. If it shows somebody else in a lost one's place, the track begins anew."""
        likeness = track.likeness(look)
        if track.returned and likeness is not None and likeness < SAME_LOOK:
            self._count += 1
            track.number, track.evidence = self._count, TemporalFusion(self._groups, self._gender_labels, time)
            track.frontal_look, track.asked = None, Asked()
        track.look, track.returned = look, False
        if abs(float(track.face.shape[4].real)) < _FRONTAL:
            track.frontal_look = look

    def _matched(
        self, faces: Sequence[Face], time: float, looks: Sequence[NDArray[np.float32] | None]
    ) -> dict[int, Track]:
        """Which face belongs to which track: the likeliest pair first, each used once."""
        pairs = sorted(
            (
                (chance, index, track)
                for track in self._tracks
                for index, (face, look) in enumerate(zip(faces, looks, strict=True))
                if (chance := _chance(track, face, look, time)) > 0
            ),
            key=lambda pair: pair[0],
            reverse=True,
        )
        matches: dict[int, Track] = {}
        taken: set[int] = set()
        for _, index, track in pairs:
            if index not in matches and track.number not in taken:
                matches[index] = track
                taken.add(track.number)
        return matches

    def _begun(self, face: Face, time: float) -> Track:
        self._count += 1
        evidence = TemporalFusion(self._groups, self._gender_labels, time)
        track = Track(self._count, face, time, evidence, last_moved=time)
        self._tracks.append(track)
        return track


def _own_likeness(seen: Seen) -> float:
    track, sighting = seen
    return track.likeness(sighting.look) or 0.0


def _chance(track: Track, face: Face, look: NDArray[np.float32] | None, time: float) -> float:
    """How likely a face is a track's: by its place, or for a lost one by nearness, and by its look; 0 is never."""
    likeness = track.likeness(look)
    lost_for = time - track.last_detected
    foreseen = track.foreseen(time)
    shared = foreseen.overlap(face)
    alike = _NEUTRAL if likeness is None else max(likeness, 0.0)
    if lost_for <= LISTED_FOR and shared >= _SAME_PLACE:
        return 1 + shared + alike
    if likeness is not None and likeness < SAME_LOOK:
        return 0.0  # somebody else, and whoever was lost may yet come back
    size, found_size = track.face.box[2], face.box[2]
    distance = min(abs(sum(place.eyes) - sum(face.eyes)) / 2 for place in (track.face, foreseen))
    reach = _REACH * size * (lost_for + LISTED_FOR)
    if distance > reach or not 1 / _SIZE_CHANGE < found_size / size < _SIZE_CHANGE:
        return 0.0
    return (1 - distance / (2 * reach) + alike) / 2
