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
from kiosk.estimate import AgeGroup, Estimate, FaceObservation, Observation, Status
from kiosk.inference.manifest import GENDER_LABELS
from kiosk.vision.process.messages import Accuracy, EngineInfo, VisionState

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


class _Accuracy(_Model):
    gender: _Share
    age: _Share
    age_within_one: _Share
    faces: _Number
    measured_on: str


class _Engine(_Model):
    name: str
    precision: str
    accuracy: _Accuracy | None


_TOGETHER = ({"engine_fault", "on_gpu", "engine"}, {"state", "fault"}, {"order", "observation"})


class _Message(_Model):
    run: int
    order: int = 0
    observation: _Observation | None = None
    alive: Literal[True] = True
    loading_gpu: Literal[True] = True
    engine_fault: str | None = None
    on_gpu: bool = False
    engine: _Engine | None = None
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
        message = _Message.model_validate_json(datagram)
        said = {name: getattr(message, name) for name in message.model_fields_set}
        if "failed" in said:
            said["passing"] = message.passing
        if message.engine is not None:
            said["engine"] = _engine(message.engine)
        if message.observation is not None:
            said["observation"] = _observation(message.observation, groups)
    except (ValidationError, ValueError):
        return None
    return said


def _engine(said: _Engine) -> EngineInfo:
    accuracy = None if said.accuracy is None else Accuracy(**said.accuracy.model_dump())
    return EngineInfo(said.name, said.precision, accuracy)


def _observation(said: _Observation, groups: Sequence[AgeGroup]) -> Observation:
    faces = (
        FaceObservation(
            face.track, face.box, face.quality, face.status, _estimate(face, groups), face.live, face.landmarks
        )
        for face in said.faces
    )
    return Observation(said.time, said.frame, said.latency_ms, tuple(faces))


def _estimate(face: _Face, groups: Sequence[AgeGroup]) -> Estimate | None:
    """Raises `ValueError`."""
    if face.gender is None and face.age is None:
        return None
    if face.gender is None or face.age is None:
        raise ValueError("half of the estimate is missing")
    _check(face.gender.label, face.gender.probabilities, GENDER_LABELS)
    _check(face.age.group, face.age.probabilities, tuple(group.label for group in groups))
    return Estimate.from_dict({"gender": face.gender.model_dump(), "age": face.age.model_dump()}, groups)


def _check(shown: str, probabilities: Mapping[str, float], labels: tuple[str, ...]) -> None:
    if tuple(probabilities) != labels or shown not in labels or abs(sum(probabilities.values()) - 1) > _ROUNDED:
        raise ValueError("they are no probabilities of this engine's")
