"""What the kiosk says about a person, without a pixel: age groups, an estimate, an observation.

These are the words that vision, the sale and the screens share. Everything here is immutable and
goes to JSON and back; `Observation.to_json` is also the line that `kiosk demo --headless` prints.
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
"""`known`: enough good evidence. `estimating`: not yet. `unknown`: it never came."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A share of a whole, 0 to 1."""

OLDEST = 100
"""Upper year of an open last group, where its manifest does not say otherwise."""

_LABEL = re.compile(r"(?P<low>\d{1,3})(?:-(?P<high>\d{1,3})|(?P<open>\+))", re.ASCII)


@dataclass(frozen=True)
class AgeGroup:
    """Ages from `low` to `high` in whole years, both included."""

    label: str
    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"age group {self.label!r} runs from {self.low} to {self.high}")

    @classmethod
    def parse(cls, label: str, oldest: int = OLDEST) -> AgeGroup:
        """`"20-29"` or `"60+"` → the group. Raises `ValueError`."""
        match = _LABEL.fullmatch(label)
        if match is None:
            raise ValueError(f"{label!r} is not an age group such as 20-29 or 60+")
        return cls(label, int(match["low"]), oldest if match["open"] else int(match["high"]))

    @property
    def middle(self) -> float:
        """The group's mean age, every year being equally likely."""
        return (self.low + self.high) / 2

    def share_at_least(self, years: float) -> float:
        """Which share of the group's years is `years` or more."""
        return min(max(self.high + 1 - years, 0.0) / (self.high + 1 - self.low), 1.0)


def _groups(*labels: str) -> tuple[AgeGroup, ...]:
    return tuple(AgeGroup.parse(label) for label in labels)


ADIENCE = _groups("0-2", "4-6", "8-12", "15-20", "25-32", "38-43", "48-53", "60+")
"""The Adience benchmark's groups. They have gaps: nobody is 22."""

DECADES = _groups("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60+")
"""FairFace's groups with the last two merged. No gaps."""


@dataclass(frozen=True)
class Estimate:
    """Gender and age of one person, as calibrated probabilities."""

    gender_labels: tuple[str, ...]
    gender_probabilities: tuple[float, ...]
    groups: tuple[AgeGroup, ...]
    age_probabilities: tuple[float, ...]
    shown_gender: str | None = None
    """The label to show where that is not the likeliest, so that it does not change at every turn: see `showing`."""
    shown_group: AgeGroup | None = None

    def __post_init__(self) -> None:
        if len(self.gender_labels) != len(self.gender_probabilities):
            raise ValueError("as many gender probabilities as labels are needed")
        if len(self.groups) != len(self.age_probabilities):
            raise ValueError("as many age probabilities as groups are needed")

    def showing(self, gender: str, group: AgeGroup) -> Estimate:
        """The same probabilities under these labels, whichever are the likeliest."""
        return replace(
            self,
            shown_gender=None if gender == self._likeliest_gender else gender,
            shown_group=None if group == self._likeliest_group else group,
        )

    @property
    def gender(self) -> str:
        """The gender's label: the likelier one's, or the one that is still shown."""
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
        """The mean of the age distribution, in years."""
        return sum(
            group.middle * probability for group, probability in zip(self.groups, self.age_probabilities, strict=True)
        )

    def probability_at_least(self, years: float) -> float:
        """The probability of an age of `years` or more, each group's spread evenly over its years."""
        shares = (
            group.share_at_least(years) * probability
            for group, probability in zip(self.groups, self.age_probabilities, strict=True)
        )
        return min(sum(shares), 1.0)

    def to_dict(self) -> dict[str, Any]:
        """`{"gender": …, "age": …}`, ready for JSON."""
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
        """The opposite of `to_dict`; the years of the groups come from whoever knows them."""
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
    """Number of the person while in view, from 1."""

    box: tuple[int, int, int, int]
    """Left, top, width, height in pixels of the frame."""

    quality: float
    """0 (useless) to 1: size, sharpness, brightness and turn of the head together."""

    status: Status
    estimate: Estimate | None = None
    """Present from the first good crop on, whatever the status."""

    live: bool | None = None
    """Whether it was shown to be a living face and no picture of one. None where nobody asked, or there is no
    answer yet; absent from JSON then."""

    landmarks: tuple[tuple[float, float], ...] | None = None
    """Where it is held by, as x and y in pixels of the frame. For service mode alone: None, and absent from JSON, in
    every other."""

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise ValueError(f"{self.status!r} is not a status")

    def to_dict(self) -> dict[str, Any]:
        """The face as it stands in a JSON line."""
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
        """The opposite of `to_dict`."""
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
    """What was seen in one frame."""

    time: float
    """Seconds of a monotonic clock since the start, when the frame was done."""

    frame: int
    """The source's number of the frame, from 0."""

    latency_ms: float
    """From the camera's answer to this one."""

    faces: tuple[FaceObservation, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The observation as it stands in a JSON line."""
        return {
            "time": round(self.time, 3),
            "frame": self.frame,
            "latency_ms": round(self.latency_ms, 1),
            "faces": [face.to_dict() for face in self.faces],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], groups: Sequence[AgeGroup]) -> Observation:
        """The opposite of `to_dict`."""
        faces = tuple(FaceObservation.from_dict(face, groups) for face in data["faces"])
        return cls(data["time"], data["frame"], data["latency_ms"], faces)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, line: str | bytes, groups: Sequence[AgeGroup]) -> Observation:
        """The opposite of `to_json`, to the precision it prints."""
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
