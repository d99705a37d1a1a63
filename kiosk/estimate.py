"""Age groups, estimates and observations: the results that vision, the sale and the screens share.

They contain no pixels. All are immutable and can be written as JSON and read again; `Observation.to_json` is also the
line that `kiosk demo --headless` prints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field

from kiosk.common.strict_model import StrictModel

Status = Literal["known", "estimating", "unknown"]
"""`known`: enough good crops. `estimating`: not enough yet. `unknown`: no estimate is possible."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A share of a whole, 0 to 1."""

OLDEST = 100
"""The upper year of an open last group such as 60+, unless the manifest names another."""

_LABEL = re.compile(r"(?P<low>\d{1,3})(?:-(?P<high>\d{1,3})|(?P<open>\+))", re.ASCII)


@dataclass(frozen=True)
class AgeGroup:
    """Ages from `low` to `high` in whole years, both inclusive. Raises `ValueError` if they are out of order."""

    label: str
    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"age group {self.label!r} runs from {self.low} to {self.high}")

    @classmethod
    def parse(cls, label: str, oldest: int = OLDEST) -> AgeGroup:
        """Returns the group of a label such as `20-29` or `60+`. Raises `ValueError` for another form."""
        match = _LABEL.fullmatch(label)
        if match is None:
            raise ValueError(f"{label!r} is not an age group such as 20-29 or 60+")
        return cls(label, int(match["low"]), oldest if match["open"] else int(match["high"]))

    @property
    def middle(self) -> float:
        """The middle of the group, in years."""
        return (self.low + self.high) / 2

    def share_at_least(self, years: float) -> float:
        """Returns the share, 0 to 1, of the group's years that are `years` or more."""
        return min(max(self.high + 1 - years, 0.0) / (self.high + 1 - self.low), 1.0)


def _groups(*labels: str) -> tuple[AgeGroup, ...]:
    return tuple(AgeGroup.parse(label) for label in labels)


ADIENCE = _groups("0-2", "4-6", "8-12", "15-20", "25-32", "38-43", "48-53", "60+")
"""The Adience benchmark's groups. They have gaps: no group contains 22."""

DECADES = _groups("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60+")
"""FairFace's groups with the last two merged. They have no gaps."""


@dataclass(frozen=True)
class Estimate:
    """Gender and age of one person, as calibrated probabilities."""

    gender_labels: tuple[str, ...]
    gender_probabilities: tuple[float, ...]
    groups: tuple[AgeGroup, ...]
    age_probabilities: tuple[float, ...]
    shown_gender: str | None = None
    """The label to show if it is not the most likely one, so that labels do not flicker; see `showing`."""
    shown_group: AgeGroup | None = None

    def __post_init__(self) -> None:
        if len(self.gender_labels) != len(self.gender_probabilities):
            raise ValueError("as many gender probabilities as labels are needed")
        if len(self.groups) != len(self.age_probabilities):
            raise ValueError("as many age probabilities as groups are needed")

    def showing(self, gender: str, group: AgeGroup) -> Estimate:
        """Returns a copy that shows these labels, whatever the most likely ones are."""
        return replace(
            self,
            shown_gender=None if gender == self._likeliest_gender else gender,
            shown_group=None if group == self._likeliest_group else group,
        )

    @property
    def gender(self) -> str:
        """The gender's label: the most likely one, or the one that is still shown."""
        return self.shown_gender or self._likeliest_gender

    @property
    def gender_probability(self) -> float:
        """The probability of `gender`."""
        return self.gender_probabilities[self.gender_labels.index(self.gender)]

    @property
    def group(self) -> AgeGroup:
        """The age group: the most likely one, or the one that is still shown."""
        return self.shown_group or self._likeliest_group

    @property
    def _likeliest_gender(self) -> str:
        return self.gender_labels[_most_likely(self.gender_probabilities)]

    @property
    def _likeliest_group(self) -> AgeGroup:
        return self.groups[_most_likely(self.age_probabilities)]

    @property
    def expected_age(self) -> float:
        """The mean of the age distribution, in years, with each group at its middle."""
        return sum(
            group.middle * probability for group, probability in zip(self.groups, self.age_probabilities, strict=True)
        )

    def probability_at_least(self, years: float) -> float:
        """Returns the probability of an age of `years` or more; each group counts evenly over its years."""
        shares = (
            group.share_at_least(years) * probability
            for group, probability in zip(self.groups, self.age_probabilities, strict=True)
        )
        return min(sum(shares), 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Returns `{"gender": …, "age": …}`, ready for JSON."""
        return {
            "gender": {
                "label": self.gender,
                "probabilities": _rounded(self.gender_labels, self.gender_probabilities),
            },
            "age": {
                "group": self.group.label,
                "low": self.group.low,
                "high": self.group.high,
                "expected": round(self.expected_age, 1),
                "probabilities": _rounded([group.label for group in self.groups], self.age_probabilities),
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], groups: Sequence[AgeGroup]) -> Estimate:
        """Returns the estimate that `to_dict` wrote. Raises `KeyError` for a label not in `groups`."""
        genders: dict[str, float] = data["gender"]["probabilities"]
        ages: dict[str, float] = data["age"]["probabilities"]
        by_label = {group.label: group for group in groups}
        estimate = cls(
            tuple(genders), tuple(genders.values()), tuple(by_label[label] for label in ages), tuple(ages.values())
        )
        return estimate.showing(data["gender"]["label"], by_label[data["age"]["group"]])


@dataclass(frozen=True)
class FaceObservation:
    """One face in one frame."""

    track: int
    """The number of the track: one person while in view, from 1."""

    box: tuple[int, int, int, int]
    """Left, top, width, height in pixels of the frame."""

    quality: float
    """0 (useless) to 1: size, sharpness, brightness and head pose combined."""

    status: Status
    estimate: Estimate | None = None
    """Present from the first good crop on, with any status."""

    live: bool | None = None
    """Whether the face is a living one and not a picture. None, and absent from JSON, if liveness is not judged or
    not decided yet."""

    landmarks: tuple[tuple[float, float], ...] | None = None
    """Five points as x and y in pixels of the frame. Only service mode has them; else None, and absent from
    JSON."""

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise ValueError(f"{self.status!r} is not a status")

    def to_dict(self) -> dict[str, Any]:
        """Returns the face, ready for JSON."""
        return {
            "track": self.track,
            "box": list(self.box),
            "quality": round(self.quality, 2),
            "status": self.status,
            **(self.estimate.to_dict() if self.estimate else {}),
            **({} if self.live is None else {"live": self.live}),
            **({"landmarks": [[round(x, 1), round(y, 1)] for x, y in self.landmarks]} if self.landmarks else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], groups: Sequence[AgeGroup]) -> FaceObservation:
        """Returns the face that `to_dict` wrote. `groups` are the engine's."""
        left, top, width, height = data["box"]
        return cls(
            track=data["track"],
            box=(left, top, width, height),
            quality=data["quality"],
            status=data["status"],
            estimate=Estimate.from_dict(data, groups) if "gender" in data else None,
            live=data.get("live"),
            landmarks=tuple((x, y) for x, y in data["landmarks"]) if "landmarks" in data else None,
        )


@dataclass(frozen=True)
class Observation:
    """The faces of one frame."""

    time: float
    """When the frame was done, in seconds since the start (monotonic clock)."""

    frame: int
    """The number of the frame in its source, from 0."""

    latency_ms: float
    """Milliseconds from the capture of the frame to this result."""

    faces: tuple[FaceObservation, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Returns the observation, ready for JSON."""
        return {
            "time": round(self.time, 3),
            "frame": self.frame,
            "latency_ms": round(self.latency_ms, 1),
            "faces": [face.to_dict() for face in self.faces],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], groups: Sequence[AgeGroup]) -> Observation:
        """Returns the observation that `to_dict` wrote. `groups` are the engine's."""
        faces = tuple(FaceObservation.from_dict(face, groups) for face in data["faces"])
        return cls(data["time"], data["frame"], data["latency_ms"], faces)

    def to_json(self) -> str:
        """Returns the observation as one line of JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, line: str | bytes, groups: Sequence[AgeGroup]) -> Observation:
        """Returns the observation that `to_json` wrote, to the precision of that line."""
        return cls.from_dict(json.loads(line), groups)


class AveragedAccuracy(StrictModel):
    """Means over the cells of one age group and one gender: a rare age weighs as much as a common one."""

    model_config = ConfigDict(allow_inf_nan=False)

    gender: Share
    age: Share
    age_within_one: Share


class MeasuredAccuracy(StrictModel):
    """How often a network is right: shares, 0 to 1, of `faces` faces that it never saw in training."""

    model_config = ConfigDict(allow_inf_nan=False)

    measured_on: str
    faces: Annotated[int, Field(gt=0, le=1 << 53)]
    gender: Share
    age: Share
    age_within_one: Share
    averaged: AveragedAccuracy | None = None

    def __str__(self) -> str:
        return (
            f"gender {self.gender:.1%}, age group {self.age:.1%}, within one {self.age_within_one:.1%} "
            f"on {self.faces} faces of {self.measured_on}"
        )


def _most_likely(probabilities: Sequence[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)


def _rounded(labels: Sequence[str], probabilities: Sequence[float]) -> dict[str, float]:
    return {label: round(probability, 4) for label, probability in zip(labels, probabilities, strict=True)}
