"""The ONNX file that an engine is made of, in the precision that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.common.errors import KioskError
from kiosk.inference import default_path, locations
from kiosk.inference.locations import TENSORRT_INT8
from kiosk.inference.manifest import Manifest, Precision, read_checked
from trainer.export.float16 import to_float16
from trainer.export.precision import is_unsigned, precision_of


class SourceError(KioskError):
    """An ONNX file of which that engine cannot be made."""


@dataclass(frozen=True)
class EngineSource:
    """What is compiled, and the file that it comes from."""

    path: Path
    manifest: Manifest
    """The file's."""
    file_content: bytes
    """The file's."""
    content: bytes
    """To compile: the file's, or converted from it."""
    precision: Precision


def read(
    onnx: Path | None, precision: Precision | None, quantise: Callable[[Path, bytes, Manifest], Path] | None
) -> EngineSource:
    """Reads `onnx`, by default the kiosk's own network, and converts it to `precision`, by default its own.

    `quantise` makes an ONNX file in eight bits of one in float32 and says where it is; without it the one
    that comes with the kiosk is taken. Raises `SourceError`, and what reading or converting raises.
    """
    if onnx is None:
        shipped = precision == "int8" and quantise is None
        onnx = locations.own_folder() / TENSORRT_INT8 if shipped else default_path()
    content, manifest = read_checked(onnx)
    if manifest.format != "onnx":
        raise SourceError(f"{onnx} is a compiled engine: name the ONNX file that it was built from")
    found = precision_of(content)
    wanted = precision or found
    if found == "int8" and is_unsigned(content):
        raise SourceError(
            f"{onnx} is in eight bits as a CPU wants them: compile {TENSORRT_INT8}, "
            "or what `trainer build-engine --target onnx` makes"
        )
    if wanted == found:
        return EngineSource(onnx, manifest, content, content, found)
    if found != "fp32":
        raise SourceError(f"{onnx} is in {found}: build --precision {found} of it, or name the float32 file")
    if wanted == "fp16":
        return EngineSource(onnx, manifest, content, to_float16(content), "fp16")
    if quantise is None:
        raise SourceError("eight bits are calibrated on faces: name a prepared folder with --calibration")
    return read(quantise(onnx, content, manifest), "int8", None)
