"""Engines: chips in, calibrated probabilities out."""

from kiosk.engine.choice import Candidate, candidates, default_path
from kiosk.engine.load import check, load, load_exactly
from kiosk.engine.manifest import Manifest, ManifestError
from kiosk.engine.types import Chips, Engine, EngineError, Probabilities

__all__ = [
    "Candidate",
    "Chips",
    "Engine",
    "EngineError",
    "Manifest",
    "ManifestError",
    "Probabilities",
    "candidates",
    "check",
    "default_path",
    "load",
    "load_exactly",
]
