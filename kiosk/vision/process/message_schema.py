"""What the vision process says, before the kiosk believes it: a datagram in, a message of the right shape out.

That process decodes whatever a camera, a file or a driver gives it, so it may crash in the middle of a word, and what
broke it may speak with its voice. Nothing that it says can end the kiosk. What it *sees* cannot be checked here:
whether an estimate may pass an age check at all is for the operator to decide (`age_check.automatic_pass`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator

from kiosk.common.strict_model import StrictModel
from kiosk.estimate import AgeGroup, Observation, Status
from kiosk.inference.manifest import GENDER_LABELS
from kiosk.vision.process.messages import EngineInfo, VisionState

_ROUNDED = 0.01  # by which a sum of probabilities may miss 1: each has four digits

_Share = Annotated[float, Field(ge=0, le=1)]
_Probabilities = dict[str, _Share]
_Pixels = Annotated[int, Field(ge=-(1 << 20), le=1 << 20)]
_Place = Annotated[float, Field(ge=-(1 << 20), le=1 << 20)]
_Point = tuple[_Place, _Place]
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


_TOGETHER = ({"engine_fault", "on_gpu", "engine"}, {"state", "fault"}, {"order", "observation"})


class _Message(_Model):
    run: int
    order: int = 0
    observation: _Observation | None = None
    alive: Literal[True] = True
    loading_gpu: Literal[True] = True
    engine_fault: str | None = None
    on_gpu: bool = False
    engine: EngineInfo | None = None
    state: VisionState = VisionState.STARTING
    fault: str | None = None
    failed: str = ""
    passing: bool = False
    """Of `failed`: whether a fresh process may find it well again."""

    @model_validator(mode="after")
    def _is_whole(self) -> _Message:
        said = self.model_fields_set
        if any(said & together and not together <= said for together in _TOGETHER):
            raise ValueError("half of it is missing")
        if ("engine" in said and self.engine is None) or ("observation" in said and self.observation is None):
            raise ValueError("it says nothing")
        return self


def parsed(datagram: bytes, groups: Sequence[AgeGroup]) -> Mapping[str, Any] | None:
    """What a datagram says, its `observation` as one; None for what makes no sense. `groups`: the engine's."""
    try:
        message = _Message.model_validate_json(datagram, strict=True)
        said = {name: getattr(message, name) for name in message.model_fields_set}
        if "failed" in said:
            said["passing"] = message.passing
        if message.observation is not None:
            for face in message.observation.faces:
                _check_estimate(face, groups)
            said["observation"] = Observation.from_dict(message.observation.model_dump(exclude_none=True), groups)
    except (ValidationError, ValueError):
        return None
    return said


def _check_estimate(face: _Face, groups: Sequence[AgeGroup]) -> None:
    """Raises `ValueError` if half of the estimate is missing, or its probabilities are not this engine's."""
    if face.gender is None and face.age is None:
        return
    if face.gender is None or face.age is None:
        raise ValueError("half of the estimate is missing")
    _check(face.gender.label, face.gender.probabilities, GENDER_LABELS)
    _check(face.age.group, face.age.probabilities, tuple(group.label for group in groups))


def _check(shown: str, probabilities: Mapping[str, float], labels: tuple[str, ...]) -> None:
    if tuple(probabilities) != labels or shown not in labels or abs(sum(probabilities.values()) - 1) > _ROUNDED:
        raise ValueError("they are no probabilities of this engine's")
