"""Validates the vision process's datagrams before the kiosk uses them.

That process decodes data of cameras, files and drivers. It may crash in the middle of a message, and an attacker who
took it over could send any message. No message may end the kiosk. Whether an estimate is true cannot be checked here;
the operator decides whether an estimate may pass an age check at all (`age_check.automatic_pass`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator

from kiosk.common.strict_model import StrictModel
from kiosk.estimate import AgeGroup, Observation, Status
from kiosk.inference.manifest import GENDER_LABELS
from kiosk.vision.process.messages import EngineInfo, VisionState

_ROUNDING = 0.01  # the largest deviation of a sum of probabilities from 1, as each has four digits

_Share = Annotated[float, Field(ge=0, le=1)]
_Probabilities = dict[str, _Share]
_Pixels = Annotated[int, Field(ge=-(1 << 20), le=1 << 20)]
_Coordinate = Annotated[float, Field(ge=-(1 << 20), le=1 << 20)]
_Point = tuple[_Coordinate, _Coordinate]
_Number = Annotated[int, Field(ge=0, le=1 << 53)]


class _Model(StrictModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class _Gender(_Model):
    label: str
    probabilities: _Probabilities


class _Age(_Model):
    group: str
    probabilities: _Probabilities


class _Face(_Model):
    track: Annotated[int, Field(ge=1, le=1 << 53)]
    box: tuple[_Pixels, _Pixels, _Pixels, _Pixels]
    quality: _Share
    status: Status
    gender: _Gender | None = None
    age: _Age | None = None
    live: bool | None = None
    landmarks: tuple[_Point, _Point, _Point, _Point, _Point] | None = None


class _Observation(_Model):
    time: float
    frame: _Number
    latency_ms: float
    faces: Annotated[tuple[_Face, ...], Field(max_length=1000)]


_REQUIRED_TOGETHER = ({"engine_fault", "on_gpu", "engine"}, {"state", "fault"}, {"command", "observation"})


class _Message(_Model):
    run: int
    command: int = 0
    observation: _Observation | None = None
    alive: Literal[True] = True
    loading_gpu: Literal[True] = True
    engine_fault: str | None = None
    on_gpu: bool = False
    engine: EngineInfo | None = None
    state: VisionState = VisionState.STARTING
    fault: str | None = None
    failed: str = ""
    transient: bool = False
    """With `failed`: whether a new process may succeed."""

    @model_validator(mode="after")
    def _require_complete(self) -> _Message:
        fields = self.model_fields_set
        if any(fields & together and not together <= fields for together in _REQUIRED_TOGETHER):
            raise ValueError("the message is incomplete")
        if ("engine" in fields and self.engine is None) or ("observation" in fields and self.observation is None):
            raise ValueError("the message is empty")
        return self


def parse_message(datagram: bytes, groups: Sequence[AgeGroup]) -> Mapping[str, Any] | None:
    """Returns a datagram's fields, with `observation` as an `Observation`; None if it is invalid.

    `groups` are the engine's age groups.
    """
    try:
        message = _Message.model_validate_json(datagram, strict=True)
        fields = {name: getattr(message, name) for name in message.model_fields_set}
        if "failed" in fields:
            fields["transient"] = message.transient
        if message.observation is not None:
            for face in message.observation.faces:
                _check_estimate(face, groups)
            fields["observation"] = Observation.from_dict(message.observation.model_dump(exclude_none=True), groups)
    except (ValidationError, ValueError):
        return None
    return fields


def _check_estimate(face: _Face, groups: Sequence[AgeGroup]) -> None:
    """Raises `ValueError` if the estimate is incomplete or its labels are not this engine's."""
    if face.gender is None and face.age is None:
        return
    if face.gender is None or face.age is None:
        raise ValueError("the estimate is incomplete")
    _check(face.gender.label, face.gender.probabilities, GENDER_LABELS)
    _check(face.age.group, face.age.probabilities, tuple(group.label for group in groups))


def _check(shown: str, probabilities: Mapping[str, float], labels: tuple[str, ...]) -> None:
    if tuple(probabilities) != labels or shown not in labels or abs(sum(probabilities.values()) - 1) > _ROUNDING:
        raise ValueError("the probabilities are not this engine's")
