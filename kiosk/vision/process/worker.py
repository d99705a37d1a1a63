"""Inside the vision process: frames are taken, and what may leave the process is sent.

It takes orders in small JSON datagrams and answers in the same.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import resource
import signal
import socket
import time

from kiosk.common.errors import KioskError
from kiosk.inference import Engine, load
from kiosk.vision.capture.grabber import FrameGrabber
from kiosk.vision.capture.source import open_source
from kiosk.vision.process.memory_watch import MemoryWatch, is_killed_first
from kiosk.vision.process.messages import EngineInfo, VisionMode, VisionState
from kiosk.vision.process.settings import ModeCommand, VisionSettings
from kiosk.vision.process.shared_frames import PreviewMemory

BEAT = 0.2
"""Seconds between two signs of life while no frames come."""

STALLED_AFTER = 3.0
"""Seconds that a camera may take for one frame before its driver is taken to hang."""

_LONGEST_ORDER = 256


class StalledError(KioskError):
    """A driver that hangs: a fresh process may find it well again."""


def work(settings: VisionSettings, channel: socket.socket, memory_name: str, run: int, order: ModeCommand) -> None:
    """The vision process itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes; the kiosk decides
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold a picture
    is_killed_first()
    channel.setblocking(False)
    link = _Link(channel, run, order)
    try:
        with contextlib.closing(PreviewMemory.attach(memory_name)) as memory:
            memory.clear()  # of what a process before this one left
            _work(settings, link, memory)
    except KioskError as error:
        link.send(failed=" ".join(str(error).split()), passing=isinstance(error, StalledError))


def _work(settings: VisionSettings, link: _Link, memory: PreviewMemory) -> None:
    # Imported here, so that the kiosk's own process loads neither dlib nor the engine's library.
    from kiosk.vision.liveness.liveness import Liveness
    from kiosk.vision.pipeline import Pipeline

    source = open_source(settings.source, loop=settings.loop, camera=settings.camera, patient=settings.patient)
    engine = load(settings.engine, cpu_only=settings.cpu_only, before_gpu=lambda: link.send(loading_gpu=True))
    report = _EngineReport(engine, link)
    pipeline = Pipeline(engine, smallest_face=settings.smallest_face)
    liveness = Liveness()
    reader = FrameGrabber(source)
    watch = MemoryWatch()
    size: tuple[int, ...] | None = None
    reader.start()
    try:
        while not link.told_to_stop():
            frame = reader.mailbox.take(BEAT)
            resized = frame is not None and frame.image.shape != (size or frame.image.shape)
            size = frame.image.shape if frame is not None else size
            if link.forgets or resized:  # where somebody was in a picture of another size says nothing in this one
                link.forgets = False
                pipeline.forget()
                reader.want_every(pipeline.frames_every)
                memory.clear()
                liveness = Liveness()
            order = link.order
            if frame is not None and not order.shows:
                link.send(observation=pipeline.notice(frame).to_dict(), order=order.number)
                reader.want_every(pipeline.frames_every)
            elif frame is not None:
                judged = settings.liveness and order.mode in (VisionMode.AGE_CHECK, VisionMode.SERVICE)
                pipeline.liveness = liveness if judged else None
                pipeline.tells_landmarks = order.mode is VisionMode.SERVICE
                observation = pipeline.process(frame)
                reader.want_every(pipeline.frames_every)
                report.renew()
                memory.write(frame.image, frame.index)
                link.send(observation=observation.to_dict(), order=order.number)
            elif reader.error:
                raise reader.error
            elif reader.ended:
                link.send(state=VisionState.ENDED.value, fault=None)
                return
            elif reader.away:
                link.send(state=VisionState.NO_CAMERA.value, fault=source.trouble)
            elif time.monotonic() - reader.last_sign > STALLED_AFTER:
                raise StalledError(f"{source.name} hangs")
            else:
                link.send(alive=True)
            if grown := watch.too_much(time.monotonic(), quiet=not order.shows):
                raise KioskError(f"the vision process took {grown / 1e6:.0f} MB more than when it began")
    finally:
        reader.stop()
        engine.close()


class _EngineReport:
    """Tells the kiosk's end what runs the network, whenever that changes."""

    def __init__(self, engine: Engine, link: _Link) -> None:
        self._engine = engine
        self._link = link
        self._told: str | None = None
        self._tell()

    def renew(self) -> None:
        if self._engine.fault != self._told:
            self._tell()

    def _tell(self) -> None:
        self._told = self._engine.fault
        manifest = self._engine.manifest
        info = EngineInfo(name=self._engine.name, precision=manifest.precision, accuracy=manifest.accuracy)
        # A datagram has room for what the service page shows.
        engine = info.model_dump(exclude={"accuracy": {"averaged"}})
        self._link.send(engine_fault=self._told, on_gpu=manifest.format == "tensorrt", engine=engine)


class _Link:
    """The vision process's end of the channel. It never waits: what nobody reads is dropped."""

    def __init__(self, channel: socket.socket, run: int, order: ModeCommand) -> None:
        self._channel = channel
        self._run = run
        kiosk = multiprocessing.parent_process()
        # not who the parent is by now: it may have died while this process was loading its libraries
        self._parent = kiosk.pid if kiosk else os.getppid()
        self.order = order
        self.forgets = False
        """Whether an order came that asks to forget whom the process saw."""

    def send(self, **message: object) -> None:
        # A full or closed channel means that nobody is listening now.
        with contextlib.suppress(BlockingIOError, OSError):
            self._channel.send(json.dumps({"run": self._run, **message}).encode())

    def told_to_stop(self) -> bool:
        """Whether the kiosk said so, or is gone. Takes in what else it said."""
        try:
            while message := self._channel.recv(_LONGEST_ORDER):
                said = json.loads(message)
                if "stop" in said:
                    return True
                order = ModeCommand(said["order"], VisionMode(said["mode"]))
                if order.number > self.order.number:  # not one that was for a process before this one
                    self.forgets = self.forgets or order.forgets(self.order)
                    self.order = order
        except BlockingIOError:
            pass
        except OSError:
            return True
        return os.getppid() != self._parent
