"""From a file to a running engine."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from kiosk.engine.manifest import Manifest, read_checked
from kiosk.engine.types import Engine

DEFAULT = "facialnet.onnx"


def default_path() -> Path:
    """The network that comes with the kiosk."""
    return Path(str(resources.files("kiosk.engines") / DEFAULT))


def check(path: Path | None = None) -> Manifest:
    """Checks an engine's files without running it. Raises `ManifestError`."""
    return read_checked(path or default_path())[1]


def load(path: Path | None = None) -> Engine:
    """Loads the engine in `path`, or the kiosk's own. Raises `ManifestError` and `EngineError`.

    Nothing of the file is parsed before its manifest was found to be valid and to be this file's.
    """
    content, manifest = read_checked(path or default_path())
    from kiosk.engine.onnx import OnnxEngine  # ONNX Runtime is slow to import, and checking needs none of it

    return OnnxEngine(content, manifest)
