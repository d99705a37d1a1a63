"""Where engines are written, and how: engine and manifest together, and never over what they are made of."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.common.atomic_files import replace_files
from kiosk.common.errors import KioskError
from kiosk.inference import check, default_path, locations
from kiosk.inference.locations import TENSORRT_INT8
from kiosk.inference.manifest import Manifest, Precision, manifest_path, read_checked, text_of
from trainer.export.float16 import to_float16
from trainer.export.precision import is_unsigned, precision_of


class EngineFileError(KioskError):
    """A place where an engine cannot be written."""


def name_of(manifest: Manifest, onnx: Path) -> str:
    """What files made of a network are called after: the kiosk's own keeps its name, whatever form of it is used."""
    return "facialnet" if manifest.network == check().network else onnx.stem.removesuffix("-int8")


def check_place(out: Path, *sources: Path) -> None:
    """Before any work is done: whether `out` can be written, and is not what it is to be made of.

    Raises `EngineFileError`.
    """
    ours = {path.resolve() for path in (out, manifest_path(out))}
    theirs = {path.resolve() for source in sources for path in (source, manifest_path(source))}
    if ours & theirs:
        raise EngineFileError(f"{out} would take the place of the network that it is made of: choose another --out")
    for path in (out, manifest_path(out)):
        if path.exists() and not path.is_file():
            raise EngineFileError(f"{path} is there and is no file: choose another --out")
    folder = out.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise EngineFileError(
            f"{out} cannot be written, because nothing may be written in {folder}: choose another --out"
        )


def write(out: Path, content: bytes, manifest: Manifest) -> None:
    """Writes an engine and its manifest; what was there before stays until both are whole."""
    with replace_files(out, manifest_path(out)) as (engine, beside):
        engine.write_bytes(content)
        beside.write_text(text_of(manifest), encoding="utf-8")


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
