"""Engines: they turn face crops into calibrated probabilities of gender and age group."""

from kiosk.inference.base import Crops, Engine, EngineError, Probabilities
from kiosk.inference.loader import check, load, load_compiled, load_exactly
from kiosk.inference.manifest import Manifest, ManifestError
from kiosk.inference.selection import Candidate, candidates, default_path

__all__ = [
    "Candidate",
    "Crops",
    "Engine",
    "EngineError",
    "Manifest",
    "ManifestError",
    "Probabilities",
    "candidates",
    "check",
    "default_path",
    "load",
    "load_compiled",
    "load_exactly",
]
