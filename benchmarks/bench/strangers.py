"""Pictures without a face: noise, plain colours, textures, animals, objects and cartoons. None may be a known face.

Each is shown to the camera for some seconds with sensor noise, like a poster behind a customer. Drawings are made here;
photographs come from scikit-image's samples if they are installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.bench.alternative import Alternative
from benchmarks.bench.scenes import Picture, sway_still
from kiosk.inference import Engine
from kiosk.vision.capture.frame import Frame
from kiosk.vision.pipeline import Pipeline

RATE, SECONDS = 10.0, 4.0
SIZE = (640, 480)


def strangers(
    pictures: Mapping[str, Picture], engine: Engine, alternative: Alternative | None, seconds: float = SECONDS
) -> dict[str, Any]:
    """Returns the results for each picture over its frames. Raises `EngineError` and `AlternativeError`."""
    rows = []
    for name, picture in pictures.items():
        shown = list(sway_still(picture, round(seconds * RATE), RATE))
        pipeline = Pipeline(engine)
        statuses: set[str] = set()
        for index, image in enumerate(shown):
            statuses |= {face.status for face in pipeline.process(Frame(image, index, index / RATE, 0.0)).faces}
        its = None
        if alternative is not None:
            alternative.take_pictures(shown[:1])
            its = bool(alternative.predict([0])[1][0])
        rows.append({"picture": name, "ours": _log_once(statuses), "alternative_answers": its})
    return {
        "pictures": len(rows),
        "known": sorted(row["picture"] for row in rows if row["ours"] == "known"),
        "alternative_answers": None
        if alternative is None
        else sorted(row["picture"] for row in rows if row["alternative_answers"]),
        "rows": rows,
    }


def drawings() -> dict[str, Picture]:
    """Returns all drawings by name, such as `texture: rings`."""
    return dict(_drawings())


def photographs(files: Mapping[str, Path]) -> dict[str, Picture]:
    """Returns the photographs that can be read, scaled and cropped to `SIZE`, by name."""
    found = {}
    for name, path in files.items():
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is not None:
            found[f"photograph: {name}"] = _fill_frame(np.asarray(picture, dtype=np.uint8))
    return found


def _log_once(statuses: set[str]) -> str:
    """Returns the status nearest to a known face."""
    return next((status for status in ("known", "estimating", "unknown") if status in statuses), "no face")


def _fill_frame(picture: Picture) -> Picture:
    width, height = SIZE
    scale = max(width / picture.shape[1], height / picture.shape[0])
    large = cv2.resize(
        picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def _drawings() -> Iterator[tuple[str, Picture]]:
    random = np.random.default_rng(2)
    width, height = SIZE
    for level in (0, 128, 255):
        yield f"plain: {level}", np.full((height, width, 3), level, np.uint8)
    yield "noise: white", random.integers(0, 256, (height, width, 3), np.uint8)
    for size in (4, 12, 40, 120):
        coarse = random.integers(0, 256, (height // size + 1, width // size + 1, 3), np.uint8)
        yield f"noise: {size} pixels wide", np.asarray(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC))
    for size in (8, 32, 96):
        rows, columns = np.mgrid[0:height, 0:width] // size
        yield f"texture: checks of {size}", _gray(255 * ((rows + columns) % 2))
        yield f"texture: stripes of {size}", _gray(255 * (columns % 2))
    rows, columns = np.mgrid[0:height, 0:width]
    yield "texture: rings", _gray(127 + 127 * np.sin(np.hypot(rows - height / 2, columns - width / 2) / 9))
    yield "texture: dots", _gray(127 + 127 * np.sin(rows / 11) * np.sin(columns / 11))
    for name, ground, skin in (("pale", 230, (170, 200, 240)), ("dark", 60, (60, 90, 140))):
        yield f"cartoon: smiling face, {name}", _cartoon(ground, skin)
        yield f"cartoon: cat, {name}", _cat(ground, skin)
        yield f"cartoon: robot, {name}", _robot(ground, skin)
    yield "object: socket", _socket()
    yield "object: clock", _clock()
    yield "object: bottles", _bottles()


def _gray(levels: np.ndarray[Any, Any]) -> Picture:
    return np.repeat(levels.astype(np.uint8)[:, :, None], 3, axis=2)


def _ground(level: int) -> Picture:
    return np.full((SIZE[1], SIZE[0], 3), level, np.uint8)


def _cartoon(ground: int, skin: tuple[int, int, int]) -> Picture:
    picture = _ground(ground)
    cv2.ellipse(picture, (320, 240), (110, 145), 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.ellipse(picture, (320, 140), (118, 70), 0, 180, 360, (30, 40, 60), -1, cv2.LINE_AA)
    for x in (278, 362):
        cv2.circle(picture, (x, 220), 20, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(picture, (x, 222), 9, (30, 30, 30), -1, cv2.LINE_AA)
        cv2.line(picture, (x - 24, 188), (x + 24, 186), (30, 40, 60), 6, cv2.LINE_AA)
    cv2.line(picture, (320, 230), (310, 272), (60, 80, 110), 4, cv2.LINE_AA)
    cv2.line(picture, (310, 272), (326, 274), (60, 80, 110), 4, cv2.LINE_AA)
    cv2.ellipse(picture, (320, 305), (48, 26), 0, 10, 170, (40, 40, 150), 7, cv2.LINE_AA)
    return picture


def _cat(ground: int, fur: tuple[int, int, int]) -> Picture:
    picture = _ground(ground)
    for side in (-1, 1):
        ear = np.array([(320 + side * 40, 150), (320 + side * 130, 60), (320 + side * 125, 200)])
        cv2.fillPoly(picture, [ear], fur, cv2.LINE_AA)
    cv2.ellipse(picture, (320, 250), (140, 120), 0, 0, 360, fur, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.ellipse(picture, (320 + side * 55, 225), (28, 22), 0, 0, 360, (90, 220, 220), -1, cv2.LINE_AA)
        cv2.ellipse(picture, (320 + side * 55, 225), (6, 20), 0, 0, 360, (10, 10, 10), -1, cv2.LINE_AA)
        for slope in (-12, 4, 20):
            cv2.line(picture, (320 + side * 30, 285), (320 + side * 165, 275 + slope), (20, 20, 20), 2, cv2.LINE_AA)
        cv2.ellipse(picture, (320 + side * 20, 300), (20, 14), 0, 0, 180, (20, 20, 20), 3, cv2.LINE_AA)
    cv2.fillPoly(picture, [np.array([(305, 272), (335, 272), (320, 290)])], (120, 120, 220), cv2.LINE_AA)
    return picture


def _robot(ground: int, metal: tuple[int, int, int]) -> Picture:
    picture = _ground(ground)
    cv2.rectangle(picture, (220, 120), (420, 360), metal, -1)
    cv2.line(picture, (320, 120), (320, 70), metal, 6)
    for x in (275, 365):
        cv2.rectangle(picture, (x - 25, 190), (x + 25, 220), (250, 250, 250), -1)
        cv2.circle(picture, (x, 205), 9, (30, 30, 200), -1, cv2.LINE_AA)
    cv2.rectangle(picture, (270, 290), (370, 320), (40, 40, 40), -1)
    for x in range(285, 370, 17):
        cv2.line(picture, (x, 290), (x, 320), (220, 220, 220), 2)
    return picture


def _socket() -> Picture:
    picture = _ground(215)
    cv2.rectangle(picture, (210, 130), (430, 350), (240, 240, 240), -1)
    cv2.circle(picture, (320, 240), 85, (205, 205, 205), -1, cv2.LINE_AA)
    for x in (280, 360):
        cv2.circle(picture, (x, 240), 12, (20, 20, 20), -1, cv2.LINE_AA)
    return picture


def _clock() -> Picture:
    picture = _ground(120)
    cv2.circle(picture, (320, 240), 150, (245, 245, 245), -1, cv2.LINE_AA)
    for hour in range(12):
        angle = np.pi * hour / 6
        ends = [(int(320 + reach * np.sin(angle)), int(240 - reach * np.cos(angle))) for reach in (120, 142)]
        cv2.line(picture, ends[0], ends[1], (20, 20, 20), 6, cv2.LINE_AA)
    cv2.line(picture, (320, 240), (270, 190), (20, 20, 20), 8, cv2.LINE_AA)
    cv2.line(picture, (320, 240), (400, 180), (20, 20, 20), 5, cv2.LINE_AA)
    return picture


def _bottles() -> Picture:
    picture = _ground(200)
    for number, colour in enumerate(((40, 120, 40), (30, 30, 140), (140, 80, 30), (30, 120, 170))):
        left = 110 + 110 * number
        cv2.rectangle(picture, (left, 180), (left + 70, 420), colour, -1)
        cv2.rectangle(picture, (left + 22, 90), (left + 48, 180), colour, -1)
        cv2.rectangle(picture, (left, 250), (left + 70, 340), (235, 235, 235), -1)
    return picture
