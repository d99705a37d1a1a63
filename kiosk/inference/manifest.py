"""The manifest: a JSON file beside an engine that describes its format, origin, accuracy and checksum.

An engine can execute code, so it is parsed only after its checksum was compared with the manifest. The manifest of
`facialnet.onnx` is `facialnet.onnx.json`; the suffix stays in the name because one network has several files.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from kiosk.common.file_access import anyone_can_replace_files, anyone_can_write
from kiosk.common.strict_model import StrictModel, first_problem
from kiosk.estimate import AgeGroup, MeasuredAccuracy, Share

CROP_SHAPE = (None, 1, 75, 75)
"""The shape of every engine's input: (any number, 1, 75, 75) gray crops."""

GENDER_LABELS = ("female", "male")

_LARGEST_ENGINE, _LARGEST_MANIFEST = 2**30, 2**20  # bytes, far more than real files have
_LONGEST_REASON = 300

Precision = Literal["fp32", "fp16", "int8"]
"""The number format of most of a network's arithmetic. Inputs and outputs are always float32."""

Flavour = Literal["tensorrt", "tensorrt_rtx"]
"""The library that compiled an engine: TensorRT or TensorRT for RTX. Neither reads the other's files."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Capability = Annotated[str, Field(pattern=r"^\d+\.\d$")]
"""A GPU's compute capability, which identifies its generation: 8.7 is a Jetson Orin, 8.9 an RTX 40."""


class ManifestError(KioskError):
    """An engine's manifest is missing or invalid, or describes another file."""


class _Model(StrictModel):
    model_config = ConfigDict(strict=False, allow_inf_nan=False)  # the trainer builds manifests from lists


class GroupEntry(_Model):
    """An age group: its label, and its first and last year of age."""

    label: str
    low: int
    high: int


class Temperatures(_Model):
    """The temperatures by which the engine divides its logits, so that probabilities are calibrated."""

    gender: Annotated[float, Field(gt=0)]
    age: Annotated[float, Field(gt=0)]


class TensorRTBuild(_Model):
    """The library and GPU that compiled a TensorRT engine. They decide where it can run."""

    flavour: Flavour
    """The library that was really loaded; the name of its Python module can mislead."""
    version: str
    """The library's version. No other version can read the engine."""
    cuda: str | None
    """The newest CUDA version that the building machine's driver supported; None without a driver."""
    gpu: str | None
    """The name of the GPU on which it was built; None without a GPU."""
    capabilities: tuple[Capability, ...]
    """The compute capabilities for which it was built."""
    max_batch: Annotated[int, Field(gt=0)]
    """The largest number of crops in one run."""
    onnx_sha256: Sha256
    """The checksum of the ONNX file that was compiled."""


class Verification(_Model):
    """How far an engine's probabilities differ from ONNX Runtime's, measured on its own device."""

    device: str
    """The GPU's name, or `CPU`."""
    capability: Capability | None
    """The GPU's compute capability; None for a CPU."""
    chips: Annotated[int, Field(gt=0)]
    largest_difference: Share
    """The largest absolute difference of a probability."""
    mean_difference: Share

    def __str__(self) -> str:
        return (
            f"{self.device}: probabilities of {self.chips} chips differ from ONNX Runtime's "
            f"by {self.mean_difference:.0e} on average, {self.largest_difference:.0e} at worst"
        )


class Manifest(_Model):
    """Everything that the kiosk must know about an engine before it parses the file."""

    manifest_version: Literal[1] = 1
    format: Literal["onnx", "tensorrt"]
    precision: Precision = "fp32"
    sha256: Sha256
    network_sha256: Sha256 | None = None
    """The checksum of the float32 ONNX file from which this engine was made; None for that file itself."""
    input_shape: tuple[int | None, int, int, int]
    gender_labels: tuple[str, ...]
    age_groups: Annotated[tuple[GroupEntry, ...], Field(min_length=2)]
    temperatures: Temperatures
    trained_on: str
    accuracy: MeasuredAccuracy | None = None
    built_by: dict[str, str]
    tensorrt: TensorRTBuild | None = None
    verified: Verification | None = None

    @model_validator(mode="after")
    def _check_interface(self) -> Manifest:
        if self.input_shape != CROP_SHAPE:
            raise ValueError(f"input_shape is {list(self.input_shape)}, the kiosk's crops are {list(CROP_SHAPE)}")
        if self.gender_labels != GENDER_LABELS:
            raise ValueError(f"gender_labels are {list(self.gender_labels)}, they must be {list(GENDER_LABELS)}")
        groups = self.groups
        for group in groups:
            if group != AgeGroup.parse(group.label, oldest=group.high):
                raise ValueError(f"age_groups: {group.label!r} does not run from {group.low} to {group.high}")
        if any(younger.high >= older.low for younger, older in pairwise(groups)):
            raise ValueError("age_groups overlap or are not in order")
        if (self.tensorrt is None) == (self.format == "tensorrt"):
            raise ValueError("the section tensorrt must be there for a TensorRT engine, and for no other")
        return self

    @property
    def network(self) -> str:
        """The SHA-256 of the float32 ONNX file, which is the same for every form of one network."""
        return self.network_sha256 or self.sha256

    @property
    def groups(self) -> tuple[AgeGroup, ...]:
        """The age groups, youngest first. Raises `ValueError` if a group ends before it begins."""
        return tuple(AgeGroup(entry.label, entry.low, entry.high) for entry in self.age_groups)


def manifest_path(engine: Path) -> Path:
    """Returns the path of an engine's manifest."""
    return engine.with_name(engine.name + ".json")


def write(manifest: Manifest, engine: Path) -> None:
    """Writes the manifest beside its engine. Raises `OSError`."""
    with replace_file(manifest_path(engine)) as path:
        path.write_text(text_of(manifest), encoding="utf-8")


def text_of(manifest: Manifest) -> str:
    """Returns the manifest as the JSON text of its file."""
    return manifest.model_dump_json(indent=2) + "\n"


def sha256_of(content: bytes) -> str:
    """Returns the SHA-256 of `content` in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def read_checked(engine: Path) -> tuple[bytes, Manifest]:
    """Reads an engine and its manifest, checks both, and returns the engine's bytes and the manifest.

    The returned bytes are the ones that were checked, so a file that is swapped later does no harm. A TensorRT engine
    is a program: only its owner and their group may be able to change it or its manifest, and neither may be a link
    out of its folder. Raises `ManifestError`.
    """
    path = manifest_path(engine)
    try:
        content, engine_state = _read(engine, _LARGEST_ENGINE)
    except OSError as error:
        raise ManifestError(f"engine {engine} cannot be read: {error.strerror}") from error
    try:
        text, manifest_state = _read(path, _LARGEST_MANIFEST)
    except OSError as error:
        raise ManifestError(
            f"engine {engine} has no readable manifest {path.name} beside it: {error.strerror}"
        ) from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise ManifestError(f"{path} is not a valid manifest: {_first(error)}") from error
    if sha256_of(content) != manifest.sha256:
        raise ManifestError(
            f"engine {engine} is not the file that {path.name} describes (its SHA-256 differs): "
            "it is damaged or was replaced; copy both files again from where they were built"
        )
    if manifest.format == "tensorrt":
        _check_permissions(engine, engine_state)
        _check_permissions(path, manifest_state)
    return content, manifest


def _read(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """Returns a file's content and its state while it was open; `most` is in bytes. Raises `OSError`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # does not wait for a pipe
    except ValueError as error:  # the name contains a NUL
        raise OSError(errno.EINVAL, str(error)) from error
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if stat.S_ISDIR(state.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file")
        if state.st_size > most:
            raise OSError(errno.EFBIG, f"It is larger than {most // 2**20} MiB")
        return file.read(), state


def _check_permissions(file: Path, state: os.stat_result) -> None:
    folder = file.parent.resolve()
    if file.resolve().parent != folder:
        raise ManifestError(f"{file} is a link out of its folder: copy the file itself there")
    if anyone_can_write(state):
        raise ManifestError(f"everybody may change {file}: run `chmod o-w {file}` if you know that nobody did")
    around = folder.stat()
    if anyone_can_replace_files(around):
        raise ManifestError(f"everybody may replace the files in {folder}: run `chmod o-w {folder}`")
    for owned, owner in ((file, state.st_uid), (folder, around.st_uid)):
        if owner not in (0, os.geteuid()):
            raise ManifestError(
                f"{owned} belongs to another user, who could change the engine: "
                "build it as the user who runs the kiosk, or `chown` it if you know that it is yours"
            )


def _first(error: ValidationError) -> str:
    text = first_problem(error)
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
