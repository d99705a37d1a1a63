"""The demo without a window: one JSON line a frame on standard output, and a recording if wanted.

Everything runs in this one process. Unpaced, every frame of the source is processed once and in
order, as fast as it can; paced, frames come as from a camera and stale ones are passed over.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.common.errors import KioskError
from kiosk.estimate import FaceObservation, Observation
from kiosk.inference import Engine, load
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.grabber import FrameGrabber
from kiosk.vision.capture.source import Source, open_source
from kiosk.vision.pipeline import Pipeline
from kiosk.vision.process.settings import VisionSettings

_WAIT = 0.2  # seconds between two looks at whether the time is up
_RECORDING_RATE = 25.0

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK = (250, 250, 250)
_GROUND = (32, 26, 22)
_COLOURS = {"known": (186, 206, 84), "estimating": (235, 235, 235), "unknown": (160, 160, 160)}  # BGR


class RecordingError(KioskError):
    """A recording that cannot be written."""


@dataclass
class Summary:
    """What a run came to."""

    frames: int = 0
    seconds: float = 0.0
    people: int = 0

    def __str__(self) -> str:
        rate = self.frames / self.seconds if self.seconds else 0.0
        return f"{self.frames} frames in {self.seconds:.1f} s ({rate:.0f} a second), {self.people} people"


def run(
    settings: VisionSettings, *, unpaced: bool = False, seconds: float | None = None, record: Path | None = None
) -> Summary:
    """Watches a source until its end, or for `seconds`. Raises `KioskError`."""
    source = open_source(settings.source, loop=settings.loop, camera=settings.camera)
    engine = load(settings.engine, cpu_only=settings.cpu_only)
    summary = Summary()
    with contextlib.ExitStack() as stack:
        stack.callback(engine.close)
        recorder: _Recorder | None = stack.enter_context(_Recorder(record)) if record else None
        pipeline = Pipeline(engine, smallest_face=settings.smallest_face)
        frames = _unpaced(source) if unpaced else _paced(source)
        stack.enter_context(contextlib.closing(frames))
        fault = _announced(engine)
        started = time.monotonic()
        for frame in frames:
            if seconds is not None and time.monotonic() - started >= seconds:
                break
            if frame is None:
                continue
            observation = pipeline.process(frame)
            if not unpaced:
                source.want_every(pipeline.frames_every)
            if engine.fault != fault:
                fault = _announced(engine)
            print(observation.to_json(), flush=not unpaced)
            if recorder:
                recorder.add(draw(frame.image, observation), frame.time)
            _count(summary, observation)
        summary.seconds = time.monotonic() - started
        if not summary.frames and seconds is None:
            raise KioskError(f"{source.name} gave no frame")
    return summary


def _announced(engine: Engine) -> str | None:
    """The engine's fault, once it was said."""
    if engine.fault:
        announce(engine.fault)
    return engine.fault


def _count(summary: Summary, observation: Observation) -> None:
    summary.frames += 1
    summary.people = max([summary.people, *(face.track for face in observation.faces)])


def _unpaced(source: Source) -> Generator[Frame | None, None, None]:
    with contextlib.closing(source):
        yield from source.frames()


def _paced(source: Source) -> Generator[Frame | None, None, None]:
    """The newest frame each time, and None now and then while there is none."""
    reader = FrameGrabber(source)
    reader.start()
    try:
        while True:
            frame = reader.mailbox.take(_WAIT)
            if frame is None and reader.ended:
                if reader.error:
                    raise reader.error
                return
            yield frame
    finally:
        reader.stop()


class _Recorder:
    """An MP4 file at a constant rate: each frame is shown until the next one's time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sink: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._written = 0
        self._first = 0.0
        self._last: NDArray[np.uint8] | None = None

    def __enter__(self) -> _Recorder:
        return self

    def add(self, image: NDArray[np.uint8], at: float) -> None:
        """Appends a frame, which was taken at `at` seconds."""
        sink = self._sink or self._opened(image, at)
        if (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        due = round((at - self._first) * _RECORDING_RATE) + 1
        while self._last is not None and self._written < due - 1:
            sink.write(self._last)
            self._written += 1
        self._last = image

    def _opened(self, image: NDArray[np.uint8], at: float) -> cv2.VideoWriter:
        # MPEG-4 wants even sides.
        self._size = image.shape[1] // 2 * 2, image.shape[0] // 2 * 2
        self._first = at
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(self._path), fourcc, _RECORDING_RATE, self._size)
        if not writer.isOpened():
            raise RecordingError(
                f"cannot record to {self._path}: is its folder there and writable, and its name *.mp4?"
            )
        self._sink = writer
        return writer

    def __exit__(self, *_: object) -> None:
        if self._sink:
            if self._last is not None:
                self._sink.write(self._last)
            self._sink.release()


def announce(line: str) -> None:
    """Says something to the person at the terminal, beside the JSON."""
    print(line, file=sys.stderr, flush=True)


def draw(image: NDArray[np.uint8], observation: Observation) -> NDArray[np.uint8]:
    """A copy of a (height, width, 3) BGR frame with every face marked and described."""
    picture = image.copy()
    unit = max(picture.shape[0] / 360, 0.5)
    for face in observation.faces:
        _mark(picture, face, unit)
    return picture


def _mark(picture: NDArray[np.uint8], face: FaceObservation, unit: float) -> None:
    left, top, width, height = face.box
    thickness = max(round(1.5 * unit), 1)
    cv2.rectangle(picture, (left, top), (left + width, top + height), _COLOURS[face.status], thickness, cv2.LINE_AA)
    text = describe(face)
    (text_width, text_height), baseline = cv2.getTextSize(text, _FONT, 0.45 * unit, max(round(unit), 1))
    pad = round(4 * unit)
    # Below the face where there is room, else above it; never beyond the sides.
    x = min(max(left, 0), max(picture.shape[1] - text_width - 2 * pad, 0))
    below = top + height + thickness + pad
    y = below if below + text_height + 2 * pad < picture.shape[0] else max(top - text_height - 3 * pad, 0)
    cv2.rectangle(picture, (x, y), (x + text_width + 2 * pad, y + text_height + baseline + pad), _GROUND, cv2.FILLED)
    origin = x + pad, y + text_height + pad
    cv2.putText(picture, text, origin, _FONT, 0.45 * unit, _INK, max(round(unit), 1), cv2.LINE_AA)


def describe(face: FaceObservation) -> str:
    """A face in a few words of ASCII, all that OpenCV's font has."""
    if face.status == "known" and face.estimate:
        estimate = face.estimate
        return (
            f"{estimate.gender} {estimate.gender_probability:.0%}  {estimate.group.label}  ~{estimate.expected_age:.0f}"
        )
    return "estimating..." if face.status == "estimating" else "unknown"
