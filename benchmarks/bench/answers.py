"""Latency of the whole pipeline, compared with the alternative's `predict`; both take turns.

Unpaced times run from a picture in memory to the estimates of all faces in it. In the paced part, pictures come at a
camera's rate through the kiosk's own grabber and mailbox, and times begin when the picture is available.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.bench.alternative import Alternative
from benchmarks.bench.scenes import Camera, Passage, Picture, endless, tile_faces
from kiosk.inference import Engine
from kiosk.vision.capture.grabber import FrameGrabber
from kiosk.vision.pipeline import Pipeline

RATE = 30.0
"""Frames per second of the simulated camera."""

SIZES = ((640, 480), (1280, 720))
FACES = (1, 2, 4)

_OURS_A_ROUND = 30  # frames; every third one has a detection
_ITS_A_ROUND = 4
_WAIT = 0.5


def answers(
    clip: str, shown: Passage, engine: Engine, alternative: Alternative | None, rounds: int, paced_seconds: float
) -> list[dict[str, Any]]:
    """Returns a row for each frame size and number of faces. Raises `EngineError` and `AlternativeError`."""
    rows = []
    for (width, height), faces in itertools.product(SIZES, FACES):
        pictures = tile_faces(shown, width, height, faces)
        rows.append(
            {
                "clip": clip,
                "width": width,
                "height": height,
                "faces": faces,
                **_in_turns(pictures, engine, alternative, rounds),
                "paced": _paced(pictures, engine, paced_seconds),
            }
        )
    return rows


def _in_turns(
    pictures: Sequence[Picture], engine: Engine, alternative: Alternative | None, rounds: int
) -> dict[str, Any]:
    pipeline = Pipeline(engine)
    frames = endless(pictures, RATE)
    for frame in itertools.islice(frames, _OURS_A_ROUND):  # until the faces are known
        pipeline.process(frame)
    if alternative is not None:
        alternative.take_pictures(pictures)
        alternative.predict([0])
    ours, its = _Times(), _Times()
    known = 0
    places = itertools.cycle(range(0, len(pictures), max(1, len(pictures) // (_ITS_A_ROUND * rounds))))
    for _ in range(rounds):
        ours.begin_round()
        for frame in itertools.islice(frames, _OURS_A_ROUND):
            started = time.perf_counter()
            observation = pipeline.process(frame)
            ours.add(time.perf_counter() - started, len(observation.faces))
            known += sum(face.status == "known" for face in observation.faces)
        if alternative is not None:
            its.begin_round()
            for seconds, found in zip(*alternative.predict(itertools.islice(places, _ITS_A_ROUND)), strict=True):
                its.add(seconds, len(found))
    return {
        "ours": {**ours.summary(), "known_a_frame": known / (rounds * _OURS_A_ROUND)},
        "alternative": its.summary() if alternative else None,
        "times_alternative": float(np.median(np.divide(ours.rates, its.rates))) if alternative else None,
    }


class _Times:
    """Seconds per frame in each round. The median over rounds is reported, because one may have been disturbed."""

    def __init__(self) -> None:
        self._rounds: list[list[float]] = []
        self._faces: list[int] = []

    def begin_round(self) -> None:
        self._rounds.append([])

    def add(self, seconds: float, faces: int) -> None:
        self._rounds[-1].append(seconds)
        self._faces.append(faces)

    @property
    def rates(self) -> list[float]:
        """Frames per second of each round."""
        return [len(seconds) / sum(seconds) for seconds in self._rounds]

    def summary(self) -> dict[str, Any]:
        every = list(itertools.chain.from_iterable(self._rounds))
        return {
            "frames": len(every),
            "frames_per_second": float(np.median(self.rates)),
            "p50_ms": 1000 * float(np.percentile(every, 50)),
            "p95_ms": 1000 * float(np.percentile(every, 95)),
            "faces_a_frame": float(np.mean(self._faces)),
        }


def _paced(pictures: Sequence[Picture], engine: Engine, seconds: float) -> dict[str, Any]:
    """Runs pictures at `RATE`, and returns latencies in ms and the share of frames that got an answer."""
    pipeline = Pipeline(engine)
    frames = round(seconds * RATE)
    reader = FrameGrabber(Camera(pictures, RATE, frames))
    latencies: list[float] = []
    busy, started = time.process_time(), time.monotonic()
    reader.start()
    try:
        while True:
            frame = reader.mailbox.take(_WAIT)
            if frame is not None:
                pipeline.process(frame)
                latencies.append(time.monotonic() - frame.captured)
            elif reader.has_ended:
                break
    finally:
        reader.stop()
    took = time.monotonic() - started
    settled = latencies[int(RATE) // 2 :] or latencies  # the first frames allocate memory
    return {
        "rate": RATE,
        "p50_ms": 1000 * float(np.percentile(settled, 50)),
        "p95_ms": 1000 * float(np.percentile(settled, 95)),
        "share_answered": len(latencies) / frames,
        "cores": (time.process_time() - busy) / took,
    }
