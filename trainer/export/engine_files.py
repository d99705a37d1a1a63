"""Where engines are written, and how: engine and manifest together, and never over what they are made of."""

from __future__ import annotations

import os
from pathlib import Path

from kiosk.common.atomic_files import replace_files
from kiosk.common.errors import KioskError
from kiosk.inference import Manifest, check
from kiosk.inference.manifest import manifest_path, text_of


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
