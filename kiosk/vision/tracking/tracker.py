"""Tracks people from frame to frame: identity, position and fused estimates.

All times are the source's own, so that a clip gives the same tracks however fast it is read. A track is in view while
its face was detected within `IN_VIEW_FOR`. Between detections, and for a moment behind another person, it is predicted
to move on at its velocity. Its identity is kept for `REMEMBERED_FOR`. A face that appears near the position where a
track was lost continues it, unless its appearance is another person's.
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
from kiosk.vision.tracking.schedule import EngineCalls

IN_VIEW_FOR = 0.3
"""Seconds without a detection after which a track is no longer in view."""

REMEMBERED_FOR = 3.0
"""Seconds without a detection after which an identity is forgotten."""

SAME_APPEARANCE = 0.65
"""The correlation of two crops from which they count as one person. Only one pair of strangers in fifty reaches 0.6
(FairFace); crops of a person who looked away for a moment reach about 0.9."""

_FRONTAL = 0.12  # horizontal offset of the nose, in eye distances, up to which a face counts as frontal
_NEUTRAL = 0.6  # the correlation assumed for a crop too poor to compare

_SAME_PLACE = 0.25  # least overlap of two boxes (intersection over union) in consecutive frames
_REACH = 1.2  # how far away a lost face may be found again, in face widths per second
_SIZE_CHANGE = 1.7  # largest change of size of a face that is found again
_PREDICTED_FOR = 0.6  # seconds for which the position is predicted
_VELOCITY_SHARE = 0.3  # the weight of the latest step in the velocity, because landmarks jitter by a pixel
_SAME_SPOT = 0.3  # two tracks that overlap more are on the same face


@dataclass
class Track:
    """One person: position, velocity, appearance and fused estimate."""

    number: int
    face: Face
    last_detected: float
    fusion: TemporalFusion
    quality: float = 0.0
    best_score: float = 0.0
    appearance: NDArray[np.float32] | None = None
    """The appearance descriptor of the last good crop, (625,) float32; see `appearance_of`."""
    frontal_appearance: NDArray[np.float32] | None = None
    """The same of the last good frontal crop. A head that was turned aside returns to it."""
    returned: bool = False
    """Whether the track was lost and found again, and no good crop has yet confirmed the person."""
    velocity: complex = 0j
    """The velocity of the eyes in pixels per second, as x + iy."""
    last_moved: float = 0.0
    """The time of the position in `face`."""
    engine_calls: EngineCalls = field(default_factory=EngineCalls)
    """The engine's calls for this person."""

    @property
    def status(self) -> Status:
        """The status of the fused estimate."""
        return self.fusion.status

    def update_status(self, time: float) -> None:
        """Updates the status of the fused estimate for `time`, in seconds of the source."""
        self.fusion.update_status(time, trusted=self.best_score >= CONVINCING and not self.returned)

    def move(self, face: Face, time: float) -> None:
        """Moves the track to `face` at `time` and updates its velocity."""
        elapsed = time - self.last_moved
        if elapsed > IN_VIEW_FOR:
            self.velocity = 0j
        elif elapsed > 0:
            step = (sum(face.eyes) - sum(self.face.eyes)) / 2 / elapsed
            self.velocity += _VELOCITY_SHARE * (step - self.velocity)
        self.face, self.last_moved = face, time

    def predict(self, time: float) -> Face:
        """Returns the face at its predicted position at `time`; after `_PREDICTED_FOR` seconds it stays there."""
        shift = self.velocity * min(time - self.last_moved, _PREDICTED_FOR)
        return Face(self.face.landmarks + np.array([shift.real, shift.imag]), self.face.score)

    def similarity(self, appearance: NDArray[np.float32] | None) -> float | None:
        """Returns the correlation, -1 to 1, of an appearance with this person's; None if either is missing."""
        if appearance is None or self.appearance is None:
            return None
        appearances = (self.appearance, self.frontal_appearance)
        return max(float(known @ appearance) for known in appearances if known is not None)

    def observation(self, live: bool | None = None, *, landmarks: bool = False) -> FaceObservation:
        """Returns the track as an observation. `live`: the liveness result. `landmarks`: whether to include them."""
        left, top, width, height = self.face.box
        return FaceObservation(
            track=self.number,
            box=(round(left), round(top), round(width), round(height)),
            quality=self.quality,
            status=self.status,
            estimate=self.fusion.estimate(),
            live=live,
            landmarks=tuple((float(x), float(y)) for x, y in self.face.landmarks) if landmarks else None,
        )


TrackedCrop = tuple[Track, FaceCrop]
"""A track and its crop in this frame."""


class Tracker:
    """All tracks that are in view or were within `REMEMBERED_FOR`."""

    def __init__(self, groups: tuple[AgeGroup, ...], gender_labels: tuple[str, ...]) -> None:
        self._groups = groups
        self._gender_labels = gender_labels
        self._tracks: list[Track] = []
        self._count = 0

    def tracks_in_view(self, time: float) -> list[Track]:
        """Returns the tracks in view at `time`, the largest face first."""
        in_view = [track for track in self._tracks if time - track.last_detected <= IN_VIEW_FOR]
        return sorted(in_view, key=lambda track: track.face.eye_distance, reverse=True)

    def assign(
        self, faces: Sequence[Face], time: float, appearances: Sequence[NDArray[np.float32] | None] | None = None
    ) -> list[Track]:
        """Assigns the faces detected at `time` to tracks or new tracks; returns each face's track, in order.

        `appearances` are the faces' descriptors (see `appearance_of`), None where the crop is not good.
        """
        self._tracks = [track for track in self._tracks if time - track.last_detected <= REMEMBERED_FOR]
        matches = self._match(faces, time, appearances or [None] * len(faces))
        found = []
        for index, face in enumerate(faces):
            track = matches.get(index) or self._start_track(face, time)
            track.returned |= time - track.last_detected > IN_VIEW_FOR
            track.move(face, time)
            track.last_detected = time
            track.best_score = max(track.best_score, face.score)
            found.append(track)
        return found

    def drop_strays(self, followed: Sequence[TrackedCrop]) -> list[TrackedCrop]:
        """Returns the followed tracks without those that strayed onto another person's face.

        When two people cross, both tracks follow the face in front. The track with its appearance is kept.
        """
        kept: list[TrackedCrop] = []
        for entry in sorted(followed, key=_similarity_to_track, reverse=True) if len(followed) > 1 else followed:
            if all(entry[1].face.overlap(other.face) < _SAME_SPOT for _, other in kept):
                kept.append(entry)
        return kept

    def recognise(self, track: Track, appearance: NDArray[np.float32], time: float) -> None:
        """Stores a good crop's appearance. If it shows another person than the lost one, the track starts again."""
        similarity = track.similarity(appearance)
        if track.returned and similarity is not None and similarity < SAME_APPEARANCE:
            self._count += 1
            track.number, track.fusion = self._count, TemporalFusion(self._groups, self._gender_labels, time)
            track.frontal_appearance, track.engine_calls = None, EngineCalls()
        track.appearance, track.returned = appearance, False
        if abs(float(track.face.shape[4].real)) < _FRONTAL:
            track.frontal_appearance = appearance

    def _match(
        self, faces: Sequence[Face], time: float, appearances: Sequence[NDArray[np.float32] | None]
    ) -> dict[int, Track]:
        """Returns the track of each face's index: the likeliest pair first, each used once."""
        pairs = sorted(
            (
                (score, index, track)
                for track in self._tracks
                for index, (face, appearance) in enumerate(zip(faces, appearances, strict=True))
                if (score := _match_score(track, face, appearance, time)) > 0
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

    def _start_track(self, face: Face, time: float) -> Track:
        self._count += 1
        fusion = TemporalFusion(self._groups, self._gender_labels, time)
        track = Track(self._count, face, time, fusion, last_moved=time)
        self._tracks.append(track)
        return track


def _similarity_to_track(seen: TrackedCrop) -> float:
    track, face_crop = seen
    return track.similarity(face_crop.appearance) or 0.0


def _match_score(track: Track, face: Face, appearance: NDArray[np.float32] | None, time: float) -> float:
    """Returns a score of how likely `face` is the track's, by position and appearance; 0 means never."""
    similarity = track.similarity(appearance)
    lost_for = time - track.last_detected
    predicted = track.predict(time)
    shared = predicted.overlap(face)
    alike = _NEUTRAL if similarity is None else max(similarity, 0.0)
    if lost_for <= IN_VIEW_FOR and shared >= _SAME_PLACE:
        return 1 + shared + alike
    if similarity is not None and similarity < SAME_APPEARANCE:
        return 0.0  # another person; the lost one may still come back
    size, found_size = track.face.box[2], face.box[2]
    distance = min(abs(sum(place.eyes) - sum(face.eyes)) / 2 for place in (track.face, predicted))
    reach = _REACH * size * (lost_for + IN_VIEW_FOR)
    if distance > reach or not 1 / _SIZE_CHANGE < found_size / size < _SIZE_CHANGE:
        return 0.0
    return (1 - distance / (2 * reach) + alike) / 2
