"""The vision process: reads frames, runs the pipeline, and sends what the mode allows.

Commands and answers are small JSON datagrams.
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
from kiosk.vision.process.memory_watch import MemoryWatch, prefer_oom_kill
from kiosk.vision.process.messages import EngineInfo, VisionMode, VisionState
from kiosk.vision.process.settings import ModeCommand, VisionSettings
from kiosk.vision.process.shared_frames import PreviewMemory

ALIVE_INTERVAL = 0.2
"""Seconds between two messages while no frames come."""

STALLED_AFTER = 3.0
"""Seconds without a frame after which a camera's driver counts as hanging."""

_LONGEST_COMMAND = 256


class StalledError(KioskError):
    """A driver hangs. A new process may be able to use it again."""


def work(settings: VisionSettings, channel: socket.socket, memory_name: str, run: int, command: ModeCommand) -> None:
    """Runs in the vision process until the kiosk stops it or the source ends. Reports errors to the kiosk.

    `channel` is a datagram socket, `memory_name` names the `PreviewMemory`. Messages carry `run`, so that those of an
    earlier process are recognised.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes; the kiosk decides
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold a picture
    prefer_oom_kill()
    channel.setblocking(False)
    link = _Link(channel, run, command)
    try:
        with contextlib.closing(PreviewMemory.attach(memory_name)) as memory:
            memory.clear()  # remove what an earlier process left
            _work(settings, link, memory)
    except KioskError as error:
        link.send(failed=" ".join(str(error).split()), transient=isinstance(error, StalledError))


def _work(settings: VisionSettings, link: _Link, memory: PreviewMemory) -> None:
    # Imported here, so that the kiosk's own process loads neither dlib nor the engine's library.
    from kiosk.vision.liveness.liveness import Liveness
    from kiosk.vision.pipeline import Pipeline

    source = open_source(
        settings.source, loop=settings.loop, camera=settings.camera, wait_for_device=settings.wait_for_device
    )
    engine = load(settings.engine, cpu_only=settings.cpu_only, before_gpu=lambda: link.send(loading_gpu=True))
    report = _EngineReport(engine, link)
    pipeline = Pipeline(engine, smallest_face=settings.smallest_face)
    liveness = Liveness()
    grabber = FrameGrabber(source)
    watch = MemoryWatch()
    size: tuple[int, ...] | None = None
    grabber.start()
    try:
        while not link.should_stop():
            frame = grabber.mailbox.take(ALIVE_INTERVAL)
            resized = frame is not None and frame.image.shape != (size or frame.image.shape)
            size = frame.image.shape if frame is not None else size
            if link.reset_requested or resized:  # positions in frames of another size are useless
                link.reset_requested = False
                pipeline.forget()
                grabber.set_frame_interval(pipeline.frame_interval)
                memory.clear()
                liveness = Liveness()
            command = link.command
            if frame is not None and not command.allows_estimates:
                link.send(observation=pipeline.detect_presence(frame).to_dict(), command=command.number)
                grabber.set_frame_interval(pipeline.frame_interval)
            elif frame is not None:
                judges_liveness = settings.liveness and command.mode in (VisionMode.AGE_CHECK, VisionMode.SERVICE)
                pipeline.liveness = liveness if judges_liveness else None
                pipeline.sends_landmarks = command.mode is VisionMode.SERVICE
                observation = pipeline.process(frame)
                grabber.set_frame_interval(pipeline.frame_interval)
                report.send_if_changed()
                memory.write(frame.image, frame.index)
                link.send(observation=observation.to_dict(), command=command.number)
            elif grabber.error:
                raise grabber.error
            elif grabber.has_ended:
                link.send(state=VisionState.ENDED.value, fault=None)
                return
            elif grabber.is_disconnected:
                link.send(state=VisionState.NO_CAMERA.value, fault=source.problem)
            elif time.monotonic() - grabber.last_activity > STALLED_AFTER:
                raise StalledError(f"{source.name} hangs")
            else:
                link.send(alive=True)
            if excess := watch.excess_bytes(time.monotonic(), quiet=not command.allows_estimates):
                raise KioskError(
                    f"the vision process uses {excess / 1e6:.0f} MB more memory than after its start: it restarts"
                )
    finally:
        grabber.stop()
        engine.close()


class _EngineReport:
    """Reports the engine to the kiosk, at the start and after every change."""

    def __init__(self, engine: Engine, link: _Link) -> None:
        self._engine = engine
        self._link = link
        self._reported_fault: str | None = None
        self._send()

    def send_if_changed(self) -> None:
        """Sends the report again if the engine's fault has changed."""
        if self._engine.fault != self._reported_fault:
            self._send()

    def _send(self) -> None:
        self._reported_fault = self._engine.fault
        manifest = self._engine.manifest
        info = EngineInfo(name=self._engine.name, precision=manifest.precision, accuracy=manifest.accuracy)
        # A datagram has room only for what the service page shows.
        engine = info.model_dump(exclude={"accuracy": {"averaged"}})
        self._link.send(engine_fault=self._reported_fault, on_gpu=manifest.format == "tensorrt", engine=engine)


class _Link:
    """The vision process's end of the channel. It never waits: messages that do not fit are dropped."""

    def __init__(self, channel: socket.socket, run: int, command: ModeCommand) -> None:
        self._channel = channel
        self._run = run
        kiosk = multiprocessing.parent_process()
        # Not `getppid` alone: the parent may have died while this process loaded its libraries.
        self._parent = kiosk.pid if kiosk else os.getppid()
        self.command = command
        self.reset_requested = False
        """Whether a command came after which all tracks must be forgotten."""

    def send(self, **message: object) -> None:
        """Sends a message to the kiosk as JSON, or drops it."""
        # If the channel is full or closed, the kiosk does not read now; a newer message follows.
        with contextlib.suppress(BlockingIOError, OSError):
            self._channel.send(json.dumps({"run": self._run, **message}).encode())

    def should_stop(self) -> bool:
        """Reads new commands; returns whether the kiosk asked to stop or has ended."""
        try:
            while message := self._channel.recv(_LONGEST_COMMAND):
                fields = json.loads(message)
                if "stop" in fields:
                    return True
                command = ModeCommand(fields["command"], VisionMode(fields["mode"]))
                if command.number > self.command.number:  # not a command for an earlier process
                    self.reset_requested = self.reset_requested or command.requires_reset(self.command)
                    self.command = command
        except BlockingIOError:
            pass
        except OSError:
            return True
        return os.getppid() != self._parent
