"""Steadiness: how often a label changes, how much an age varies, and the share of time with an answer.

The alternative is measured in the same way; its answers for single frames are joined to tracks by their boxes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.bench.alternative import Alternative, Prediction
from benchmarks.bench.scenes import Picture, sway_still
from kiosk.estimate import AgeGroup
from kiosk.inference import Engine
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.source import open_source
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.geometry import is_plausible
from kiosk.vision.faces.image import to_gray
from kiosk.vision.pipeline import Pipeline

WINDOW = 10.0
"""Seconds of the window in which label changes are counted."""

HELD_RATE, HELD_SECONDS = 25.0, 12.0

_LOOK_EVERY = 5  # frames between two full searches, which decide whether a face is there
_BATCH = 25  # pictures per request to the alternative
_SAME_PLACE = 0.3  # the least overlap of a box with the box before it
_GONE_AFTER = 1.0  # seconds


@dataclass
class LabelledTrack:
    """The answers for one person, with one entry for each frame that has an answer."""

    times: list[float] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)
    """Gender and age group of each answer."""
    ages: list[float] = field(default_factory=list)

    def add(self, time: float, label: tuple[str, str], age: float) -> None:
        self.times.append(time)
        self.labels.append(label)
        self.ages.append(age)

    @property
    def changes(self) -> list[float]:
        """The times at which gender or age group changed."""
        pairs = zip(self.times[1:], self.labels[1:], self.labels, strict=False)
        return [time for time, now, before in pairs if now != before]

    @property
    def seconds(self) -> float:
        """Seconds from the first answer to the last."""
        return self.times[-1] - self.times[0] if self.times else 0.0


def measure(frames: Iterable[Frame], engine: Engine, alternative: Alternative | None) -> dict[str, Any]:
    """Measures the kiosk and the alternative on the same frames. Raises `EngineError` and `AlternativeError`."""
    finder, pipeline = FaceFinder(), Pipeline(engine)
    ours: dict[int, LabelledTrack] = defaultdict(LabelledTrack)
    joined = _LineBuilder(engine.manifest.groups)
    looked = answered = its_answered = 0
    for batch in _batches(frames):
        there = [
            frame.index % _LOOK_EVERY == 0 and any(map(is_plausible, finder.detect(to_gray(frame.image))))
            for frame in batch
        ]
        guesses: list[list[Prediction]] = [[] for _ in batch]
        if alternative is not None:
            alternative.take_pictures([frame.image for frame in batch])
            _, guesses = alternative.predict(range(len(batch)))
        for frame, somebody, its in zip(batch, there, guesses, strict=True):
            known = 0
            for face in pipeline.process(frame).faces:
                if face.status == "known" and face.estimate is not None:
                    known += 1
                    estimate = face.estimate
                    label = estimate.gender, estimate.group.label
                    ours[face.track].add(frame.time, label, estimate.expected_age)
            for guess in its:
                joined.add(frame.time, guess)
            looked += somebody
            answered += somebody and known > 0
            its_answered += somebody and bool(its)
    return {
        "frames_looked_at_with_a_face": looked,
        "ours": {**_summary(ours.values()), "share_answered": answered / looked if looked else None},
        "alternative": None
        if alternative is None
        else {**_summary(joined.lines), "share_answered": its_answered / looked if looked else None},
    }


def clip_frames(source: str) -> Iterator[Frame]:
    """Yields the frames of a clip from beginning to end. Raises `SourceError`."""
    with closing(open_source(source)) as opened:
        yield from (frame for frame in opened.frames() if frame is not None)


def swaying_frames(picture: Picture, seconds: float = HELD_SECONDS) -> Iterator[Frame]:
    """Yields frames of a still person for `seconds`, with sway and noise."""
    for index, shown in enumerate(sway_still(picture, round(seconds * HELD_RATE), HELD_RATE)):
        yield Frame(shown, index, index / HELD_RATE, 0.0)


class _LineBuilder:
    """Joins the alternative's answers to tracks by their boxes."""

    def __init__(self, groups: Sequence[AgeGroup]) -> None:
        self.lines: list[LabelledTrack] = []
        self._groups = groups
        self._boxes: list[tuple[float, float, float, float]] = []

    def add(self, time: float, guess: Prediction) -> None:
        label = guess.gender, _group(guess.age, self._groups)
        fitting = [
            (overlap, index)
            for index, (line, box) in enumerate(zip(self.lines, self._boxes, strict=True))
            if 0 < time - line.times[-1] <= _GONE_AFTER and (overlap := _overlap(box, guess.box)) >= _SAME_PLACE
        ]
        if fitting:
            index = max(fitting)[1]
        else:
            index = len(self.lines)
            self.lines.append(LabelledTrack())
            self._boxes.append(guess.box)
        self.lines[index].add(time, label, guess.age)
        self._boxes[index] = guess.box


def _summary(lines: Iterable[LabelledTrack]) -> dict[str, Any]:
    said = [line for line in lines if line.times]
    seconds = sum(line.seconds for line in said)
    return {
        "people": len(said),
        "seconds": seconds,
        "changes": sum(len(line.changes) for line in said),
        "changes_in_ten_seconds": WINDOW * sum(len(line.changes) for line in said) / seconds if seconds else None,
        "most_changes_in_ten_seconds": max((_most(line.changes) for line in said), default=None),
        "age_deviation": max((float(np.std(line.ages)) for line in said), default=None),
        "age_furthest": max(
            (float(np.abs(np.subtract(line.ages, np.mean(line.ages))).max()) for line in said), default=None
        ),
    }


def _furthest(ages: Sequence[float]) -> float:
    """Returns the largest distance of an age from the mean, in years."""
    return float(np.abs(np.subtract(ages, np.mean(ages))).max())


def _most(times: Sequence[float]) -> int:
    """Returns the largest number of changes within `WINDOW` seconds."""
    return max((sum(start <= time < start + WINDOW for time in times) for start in times), default=0)


def _group(age: float, groups: Sequence[AgeGroup]) -> str:
    return next((group.label for group in reversed(groups) if age >= group.low), groups[0].label)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Returns the intersection over union of two boxes, each as left, top, width and height."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def _batches(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
