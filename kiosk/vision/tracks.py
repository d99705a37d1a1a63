"""Who is who from frame to frame, and what is known of each: identity and fused estimates.

All times are the source's own, so that a clip gives the same tracks however fast it is read. A
track is listed while its face was detected within `LISTED_FOR`; its identity is remembered for
`REMEMBERED_FOR` and taken up again by a face that appears where it was lost, unless its first good
chip shows somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import AgeGroup, FaceObservation, Status
from kiosk.vision.evidence import Evidence
from kiosk.vision.faces import CONVINCING, Face, Gray

LISTED_FOR = 0.3
"""Seconds without a detection after which a face is no longer listed."""

REMEMBERED_FOR = 3.0
"""Seconds without a detection after which an identity is forgotten."""

SAME_LOOK = 0.65
"""Correlation of two chips from which they show one person: strangers' seldom come to 0.6 (one pair in
fifty, over FairFace), those of somebody who looked away for a moment are at about 0.9."""

_LOOK_SIZE = 25  # pixels along a side of what is remembered of a face's look

_SAME_PLACE = 0.25  # least overlap of two boxes (intersection over union) in consecutive frames
_REACH = 1.2  # how far a lost face may be found again, in its own widths, and as much again a second
_SIZE_CHANGE = 1.7  # largest change of size of a face that is found again


@dataclass
class Track:
    """One person."""

    number: int
    face: Face
    last_detected: float
    evidence: Evidence
    quality: float = 0.0
    best_score: float = 0.0
    look: NDArray[np.float32] | None = None
    """What the last good chip looked like: see `look_of`."""
    returned: bool = False
    """Was lost and found again, and no good chip has yet shown whether it is the same person."""

    @property
    def status(self) -> Status:
        """Whether what is known of this person is enough."""
        return self.evidence.status

    def update_status(self, time: float) -> None:
        """Moves between estimating, known and unknown by what is known at `time`."""
        self.evidence.update_status(time, trusted=self.best_score >= CONVINCING and not self.returned)

    def observed(self, live: bool | None = None) -> FaceObservation:
        """The track as the rest of the kiosk sees it; `live` is known to whoever judged it."""
        left, top, width, height = self.face.box
        return FaceObservation(
            track=self.number,
            box=(round(left), round(top), round(width), round(height)),
            quality=self.quality,
            status=self.status,
            estimate=self.evidence.estimate(),
            live=live,
        )


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

    def detected(self, faces: Sequence[Face], time: float) -> list[Track]:
        """Takes in what the detector found at `time`; returns the track of each face, in order."""
        self._tracks = [track for track in self._tracks if time - track.last_detected <= REMEMBERED_FOR]
        matches = self._matched(faces, time)
        found = []
        for index, face in enumerate(faces):
            track = matches.get(index) or self._begun(face, time)
            track.returned |= time - track.last_detected > LISTED_FOR
            track.face, track.last_detected = face, time
            track.best_score = max(track.best_score, face.score)
            found.append(track)
        return found

    def recognise(self, track: Track, chip: Gray, time: float) -> None:
        """Takes in a good chip's look. If it shows somebody else in a lost one's place, the track begins anew."""
        look = look_of(chip)
        if track.returned and track.look is not None and float(track.look @ look) < SAME_LOOK:
            self._count += 1
            track.number, track.evidence = self._count, Evidence(self._groups, self._gender_labels, time)
        track.look, track.returned = look, False

    def _matched(self, faces: Sequence[Face], time: float) -> dict[int, Track]:
        """Which face belongs to which track: the likeliest pair first, each used once."""
        pairs = sorted(
            (
                (likeness, index, track)
                for track in self._tracks
                for index, face in enumerate(faces)
                if (likeness := _likeness(track, face, time)) > 0
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
        track = Track(self._count, face, time, Evidence(self._groups, self._gender_labels, time))
        self._tracks.append(track)
        return track


def look_of(chip: Gray) -> NDArray[np.float32]:
    """(625,) a small copy of a chip with brightness and contrast taken out; the product of two is their correlation."""
    small = np.asarray(cv2.resize(chip, (_LOOK_SIZE, _LOOK_SIZE), interpolation=cv2.INTER_AREA), dtype=np.float32)
    centred = small.ravel() - small.mean()
    return centred / max(float(np.linalg.norm(centred)), 1e-6)


def _likeness(track: Track, face: Face, time: float) -> float:
    """How likely a face is a track's: its overlap, or for a lost one up to as much by nearness; 0 is never."""
    shared = track.face.overlap(face)
    if shared >= _SAME_PLACE:
        return 1 + shared
    lost_for = time - track.last_detected
    size, found_size = track.face.box[2], face.box[2]
    distance = abs(sum(track.face.eyes) - sum(face.eyes)) / 2
    reach = _REACH * size * (lost_for + LISTED_FOR)
    if distance > reach or not 1 / _SIZE_CHANGE < found_size / size < _SIZE_CHANGE:
        return 0.0
    return 1 - distance / (2 * reach)
