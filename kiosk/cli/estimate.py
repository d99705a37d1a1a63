"""`kiosk estimate`: estimates gender and age in image files, and prints them as text or JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kiosk.estimate import FaceObservation
from kiosk.inference import load
from kiosk.vision.capture.files import list_pictures
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.image import Gray
from kiosk.vision.pipeline import estimate_still


def estimate_all(paths: Iterable[Path], engine_path: Path | None, *, as_json: bool) -> bool:
    """Prints a line for each image; returns whether all images could be read.

    A folder stands for the images in it. Raises `SourceError` for a folder without images, `ManifestError` and
    `EngineError`.
    """
    images = list(_images(paths))
    engine = load(engine_path)
    if engine.fault:
        print(engine.fault, file=sys.stderr)
    finder = FaceFinder()
    all_read = True
    for index, path in enumerate(images):
        started = time.monotonic()
        gray = _read(path)
        if gray is None:
            all_read = False
            problem = "cannot be read as an image" if path.exists() else "does not exist"
            print(f"{path} {problem}", file=sys.stderr)
            if as_json:
                print(json.dumps({"image": str(path), "error": problem}))
            continue
        faces = estimate_still(gray, finder, engine)
        latency_ms = (time.monotonic() - started) * 1000
        print(_json_line(path, index, latency_ms, faces) if as_json else _text_line(path, faces))
    engine.close()
    return all_read


def _images(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from list_pictures(path)
        else:
            yield path


def _read(path: Path) -> Gray | None:
    """Returns a gray image, (height, width) uint8, or None if the file is not a readable image."""
    try:
        gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    except cv2.error:  # for example, larger than OpenCV allows
        return None
    return None if gray is None else np.asarray(gray, dtype=np.uint8)


def _json_line(path: Path, index: int, latency_ms: float, faces: list[FaceObservation]) -> str:
    line: dict[str, Any] = {
        "image": str(path),
        "frame": index,
        "latency_ms": round(latency_ms, 1),
        "faces": [face.to_dict() for face in faces],
    }
    return json.dumps(line)


def _text_line(path: Path, faces: list[FaceObservation]) -> str:
    return f"{path}: " + ("; ".join(_describe(face) for face in faces) or "no face")


def _describe(face: FaceObservation) -> str:
    assert face.estimate is not None
    estimate = face.estimate
    caveat = "" if face.status == "known" else ", but the image of the face is too poor to rely on"
    return (
        f"{estimate.gender} ({estimate.gender_probability:.0%}), {estimate.group.label}, "
        f"about {estimate.expected_age:.0f}{caveat}"
    )
