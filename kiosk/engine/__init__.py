"""Engines: chips in, calibrated probabilities out."""

from kiosk.engine.load import check, default_path, load
from kiosk.engine.manifest import Manifest, ManifestError
from kiosk.engine.types import Chips, Engine, EngineError, Probabilities

__all__ = [
    "Chips",
    "Engine",
    "EngineError",
    "Manifest",
    "ManifestError",
    "Probabilities",
    "check",
    "default_path",
    "load",
]
