"""Reads the ONNX files that engines are built from, and writes engines with their manifests."""

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
from trainer.export.precision import has_unsigned_activations, precision_of


class EngineFileError(KioskError):
    """An engine cannot be written at a path."""


class SourceError(KioskError):
    """The requested engine cannot be built from an ONNX file."""


@dataclass(frozen=True)
class EngineSource:
    """The ONNX content to compile, and the file that it comes from."""

    path: Path
    manifest: Manifest
    """The manifest of the file."""
    file_content: bytes
    content: bytes
    """What is compiled: the file's content, or its conversion to another precision."""
    precision: Precision


def read_source(
    onnx: Path | None, precision: Precision | None, quantise: Callable[[Path, bytes, Manifest], Path] | None
) -> EngineSource:
    """Reads an ONNX file, by default the kiosk's own network, and converts it to `precision`, by default its own.

    `quantise` takes path, content and manifest of a float32 file, writes it in eight bits and returns the new path.
    Without it, eight bits of the kiosk's own network come from the file that the kiosk ships. Raises `SourceError`,
    `ManifestError`, `NetworkError`, and what `quantise` raises.
    """
    if onnx is None:
        shipped = precision == "int8" and quantise is None
        onnx = locations.own_folder() / TENSORRT_INT8 if shipped else default_path()
    content, manifest = read_checked(onnx)
    if manifest.format != "onnx":
        raise SourceError(f"{onnx} is a compiled engine: name the ONNX file that it was built from")
    found = precision_of(content)
    wanted = precision or found
    if found == "int8" and has_unsigned_activations(content):
        raise SourceError(
            f"{onnx} is in eight bits in the form for a CPU: compile {TENSORRT_INT8}, "
            "or a file from `trainer build-engine --target onnx`"
        )
    if wanted == found:
        return EngineSource(onnx, manifest, content, content, found)
    if found != "fp32":
        raise SourceError(f"{onnx} is in {found}: choose --precision {found}, or name the float32 file")
    if wanted == "fp16":
        return EngineSource(onnx, manifest, content, to_float16(content), "fp16")
    if quantise is None:
        raise SourceError("eight bits are calibrated on faces: name a prepared folder with --calibration")
    return read_source(quantise(onnx, content, manifest), "int8", None)


def network_name(manifest: Manifest, onnx: Path) -> str:
    """Returns the name for files made from a network: `facialnet` for the kiosk's own, otherwise the file's name."""
    return "facialnet" if manifest.network == check().network else onnx.stem.removesuffix("-int8")


def check_output_path(out: Path, *sources: Path) -> None:
    """Raises `EngineFileError` if `out` cannot be written, or is one of the files that it is made from."""
    outputs = {path.resolve() for path in (out, manifest_path(out))}
    inputs = {path.resolve() for source in sources for path in (source, manifest_path(source))}
    if outputs & inputs:
        raise EngineFileError(f"{out} would overwrite the network that it is made from: choose another --out")
    for path in (out, manifest_path(out)):
        if path.exists() and not path.is_file():
            raise EngineFileError(f"{path} exists and is not a file: choose another --out")
    folder = out.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise EngineFileError(f"{out} cannot be written, because {folder} is not writable: choose another --out")


def write_engine(out: Path, content: bytes, manifest: Manifest) -> None:
    """Writes an engine and its manifest; earlier files are replaced only when both are complete. Raises `OSError`."""
    with replace_files(out, manifest_path(out)) as (engine, beside):
        engine.write_bytes(content)
        beside.write_text(text_of(manifest), encoding="utf-8")
