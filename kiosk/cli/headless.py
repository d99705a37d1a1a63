"""`kiosk demo --headless`: prints one JSON line for each frame, and can record a video with the faces marked.

Everything runs in this process. With `unpaced`, every frame of the source is processed once and in order, as fast as
possible. Otherwise frames come at the source's own rate, and a newer frame replaces one that still waits.
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

_WAIT_S = 0.2  # the longest wait for a frame, so that the end of the run is not missed
_RECORDING_RATE = 25.0  # frames per second

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_COLOUR = (250, 250, 250)  # BGR, like all colours here
_BACKGROUND = (32, 26, 22)
_BOX_COLOURS = {"known": (186, 206, 84), "estimating": (235, 235, 235), "unknown": (160, 160, 160)}


class RecordingError(KioskError):
    """A recording that cannot be written."""


@dataclass
class Summary:
    """The counts of a run: frames processed, seconds it took, and people seen."""

    frames: int = 0
    seconds: float = 0.0
    people: int = 0

    def __str__(self) -> str:
        rate = self.frames / self.seconds if self.seconds else 0.0
        return f"{self.frames} frames in {self.seconds:.1f} s ({rate:.0f} a second), {self.people} people"


def run(
    settings: VisionSettings, *, unpaced: bool = False, seconds: float | None = None, record: Path | None = None
) -> Summary:
    """Processes a source until its end, or for `seconds`, and prints an observation for each frame.

    `record` is the path of an MP4 to write. Raises `SourceError`, `EngineError`, `ManifestError`, `RecordingError`, and
    `KioskError` if the source gave no frame.
    """
    source = open_source(settings.source, loop=settings.loop, camera=settings.camera)
    engine = load(settings.engine, cpu_only=settings.cpu_only)
    summary = Summary()
    with contextlib.ExitStack() as stack:
        stack.callback(engine.close)
        recorder: _Recorder | None = stack.enter_context(_Recorder(record)) if record else None
        pipeline = Pipeline(engine, smallest_face=settings.smallest_face)
        frames = _unpaced(source) if unpaced else _paced(source)
        stack.enter_context(contextlib.closing(frames))
        fault = _announce_fault(engine)
        started = time.monotonic()
        for frame in frames:
            if seconds is not None and time.monotonic() - started >= seconds:
                break
            if frame is None:
                continue
            observation = pipeline.process(frame)
            if not unpaced:
                source.set_frame_interval(pipeline.frame_interval)
            if engine.fault != fault:
                fault = _announce_fault(engine)
            print(observation.to_json(), flush=not unpaced)
            if recorder:
                recorder.add(draw(frame.image, observation), frame.time)
            _count(summary, observation)
        summary.seconds = time.monotonic() - started
        if not summary.frames and seconds is None:
            raise KioskError(f"{source.name} gave no frame")
    return summary


def _announce_fault(engine: Engine) -> str | None:
    """Prints the engine's fault, if it has one, and returns it."""
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
    """Yields the newest frame each time, and None about five times a second while there is none."""
    grabber = FrameGrabber(source)
    grabber.start()
    try:
        while True:
            frame = grabber.mailbox.take(_WAIT_S)
            if frame is None and grabber.has_ended:
                if grabber.error:
                    raise grabber.error
                return
            yield frame
    finally:
        grabber.stop()


class _Recorder:
    """Writes an MP4 at a constant frame rate: each frame is repeated until the time of the next one."""

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
        """Adds a (height, width, 3) BGR frame that was taken at `at`, in seconds. Raises `RecordingError`."""
        sink = self._sink or self._open(image, at)
        if (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        due = round((at - self._first) * _RECORDING_RATE) + 1
        while self._last is not None and self._written < due - 1:
            sink.write(self._last)
            self._written += 1
        self._last = image

    def _open(self, image: NDArray[np.uint8], at: float) -> cv2.VideoWriter:
        # MPEG-4 needs an even width and height.
        self._size = image.shape[1] // 2 * 2, image.shape[0] // 2 * 2
        self._first = at
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(self._path), fourcc, _RECORDING_RATE, self._size)
        if not writer.isOpened():
            raise RecordingError(
                f"cannot record to {self._path}: the folder must exist and be writable, and the name must end in .mp4"
            )
        self._sink = writer
        return writer

    def __exit__(self, *_: object) -> None:
        if self._sink:
            if self._last is not None:
                self._sink.write(self._last)
            self._sink.release()


def announce(line: str) -> None:
    """Prints a line to standard error, because standard output carries the JSON."""
    print(line, file=sys.stderr, flush=True)


def draw(image: NDArray[np.uint8], observation: Observation) -> NDArray[np.uint8]:
    """Returns a copy of a (height, width, 3) BGR frame with a box and a label at every face."""
    copy = image.copy()
    scale = max(copy.shape[0] / 360, 0.5)
    for face in observation.faces:
        _draw_face(copy, face, scale)
    return copy


def _draw_face(image: NDArray[np.uint8], face: FaceObservation, scale: float) -> None:
    left, top, width, height = face.box
    thickness = max(round(1.5 * scale), 1)
    cv2.rectangle(image, (left, top), (left + width, top + height), _BOX_COLOURS[face.status], thickness, cv2.LINE_AA)
    text = describe(face)
    (text_width, text_height), baseline = cv2.getTextSize(text, _FONT, 0.45 * scale, max(round(scale), 1))
    pad = round(4 * scale)
    # The label is below the face if there is room, else above it, and never beyond the sides.
    x = min(max(left, 0), max(image.shape[1] - text_width - 2 * pad, 0))
    below = top + height + thickness + pad
    y = below if below + text_height + 2 * pad < image.shape[0] else max(top - text_height - 3 * pad, 0)
    cv2.rectangle(image, (x, y), (x + text_width + 2 * pad, y + text_height + baseline + pad), _BACKGROUND, cv2.FILLED)
    origin = x + pad, y + text_height + pad
    cv2.putText(image, text, origin, _FONT, 0.45 * scale, _TEXT_COLOUR, max(round(scale), 1), cv2.LINE_AA)


def describe(face: FaceObservation) -> str:
    """Returns the label of a face, such as `female 97%  20-29  ~26`; in ASCII, because OpenCV's font has no more."""
    if face.status == "known" and face.estimate:
        estimate = face.estimate
        return (
            f"{estimate.gender} {estimate.gender_probability:.0%}  {estimate.group.label}  ~{estimate.expected_age:.0f}"
        )
    return "estimating..." if face.status == "estimating" else "unknown"
