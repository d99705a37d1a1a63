"""Times the stages of a frame from camera to screen, one frame after the other in one process.

`read` decodes a Motion JPEG frame like a USB camera's. `hand over` is both ends of the transfer between the two
processes. `paint` draws the demo's window in memory, without a screen.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from benchmarks.bench.answers import RATE
from benchmarks.bench.scenes import Passage, tile_faces, write_video
from benchmarks.bench.stopwatch import REST, Stopwatch, timing
from kiosk.estimate import Observation
from kiosk.inference import Engine
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.source import open_source
from kiosk.vision.pipeline import Pipeline
from kiosk.vision.process.messages import Preview, VisionMode, VisionState
from kiosk.vision.process.shared_frames import PreviewMemory

STAGES = ("read", "detect", "follow", "landmark", "chip", "infer", "fuse", REST, "hand over", "paint")
"""The stages in the order in which a frame passes them."""

_LONGEST = 1 << 16
_WARM_UP = 30  # frames


def stages(shown: Passage, width: int, height: int, faces: int, engine: Engine, frames: int) -> dict[str, Any]:
    """Returns the mean milliseconds per frame of each stage. Raises `EngineError` and `SceneError`."""
    watch = Stopwatch()
    # The engine is wrapped, not patched, because its class depends on the machine.
    timed = _Timed(engine, watch)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        path = Path(folder, "scene.avi")
        write_video(path, tile_faces(shown, width, height, faces), RATE)
        source = open_source(str(path), loop=True)
        opened.enter_context(closing(source))
        hand_over = opened.enter_context(_ProcessBoundary(engine))
        paint, why_not = _painter(hand_over, opened)
        missing = opened.enter_context(timing(watch))
        pipeline = Pipeline(timed)
        coming = source.frames()
        busy = 0.0
        for index in range(_WARM_UP + frames):
            if index == _WARM_UP:
                watch.seconds.clear()
                busy = time.process_time()
            with watch.stage("read"):
                frame = next(coming)
            assert frame is not None
            observation = pipeline.process(Frame(frame.image, frame.index, frame.index / RATE, time.monotonic()))
            with watch.stage("hand over"):
                hand_over(frame, observation)
            if paint is not None:
                with watch.stage("paint"):
                    paint()
        busy = time.process_time() - busy
    notes = [f"{name} is not there any more: its time is its caller's" for name in missing]
    return {
        "width": width,
        "height": height,
        "faces": faces,
        "frames": frames,
        "ms": {stage: 1000 * watch.seconds[stage] / frames for stage in STAGES if stage in watch.seconds},
        "processor_ms": 1000 * busy / frames,
        "notes": notes if why_not is None else [*notes, why_not],
    }


class _Timed:
    """An engine whose inference is timed."""

    def __init__(self, engine: Engine, watch: Stopwatch) -> None:
        self.name, self.manifest, self.fault = engine.name, engine.manifest, engine.fault
        self.infer = watch.wrap(engine.infer, "infer")

    def close(self) -> None:
        """Does nothing, because the caller closes the engine."""


class _ProcessBoundary:
    """Both ends of the channel and of the shared picture. It is also the `Vision` of the demo's window."""

    state = VisionState.RUNNING
    fault = None
    engine_fault = None
    mode = VisionMode.ESTIMATE

    def __init__(self, engine: Engine) -> None:
        self._groups = engine.manifest.groups
        self._news: list[Observation] = []
        self._picture: Preview | None = None

    def __enter__(self) -> _ProcessBoundary:
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._reading = PreviewMemory.create()
        self._writing = PreviewMemory.attach(self._reading.name)
        return self

    def __exit__(self, *_: object) -> None:
        self._picture = None  # it may be in the shared memory that is closed here
        self._writing.close()
        self._reading.close()
        self._ours.close()
        self._theirs.close()

    def __call__(self, frame: Frame, observation: Observation) -> None:
        self._writing.write(frame.image, frame.index)
        self._theirs.send(json.dumps({"run": 1, "observation": observation.to_dict(), "order": 0}).encode())
        message = json.loads(self._ours.recv(_LONGEST))
        self._news = [Observation.from_dict(message["observation"], self._groups)]
        self._picture = self._reading.read()

    def poll(self) -> list[Observation]:
        news, self._news = self._news, []
        return news

    def preview(self) -> Preview | None:
        picture, self._picture = self._picture, None
        return picture

    def set_mode(self, mode: VisionMode) -> None:
        """Does nothing, because the mode is fixed."""


def _painter(vision: _ProcessBoundary, opened: ExitStack) -> tuple[Callable[[], None] | None, str | None]:
    """Returns a function that paints the demo's window, or the reason why there is none.

    `opened` closes the window.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        from PyQt6.QtWidgets import QApplication

        from kiosk.ui.demo.window import DemoWindow
    except ImportError as error:
        return None, f"paint was not measured: Qt cannot be imported ({error})"
    app = QApplication.instance() or QApplication(["benchmark"])
    window = DemoWindow(vision)
    window.timer.stop()
    opened.callback(app.processEvents)
    opened.callback(window.deleteLater)
    opened.callback(window.close)
    opened.callback(window.view.clear_picture)
    window.show()

    def paint() -> None:
        window.advance(1 / RATE)
        app.processEvents()

    return paint, None
