"""The vision process: camera, detector and engine, apart from the shop that must go on.

A driver that hangs in `read()`, a crash inside a GPU library or a corrupt stream costs a restart of
this process and nothing else. Between the two processes go only small JSON datagrams (so that one
cut off by a crash cannot spoil the next) and the preview in shared memory.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field, replace
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from kiosk.engine import Engine, check, load
from kiosk.errors import KioskError
from kiosk.estimate import AgeGroup, Observation
from kiosk.vision.camera import CameraMode, Reader, open_source
from kiosk.vision.messages import Preview, VisionState
from kiosk.vision.preview import PreviewMemory

BEAT = 0.2
"""Seconds between two signs of life while no frames come."""

HUNG_AFTER = 2.0
"""Seconds of silence after which the process is taken to hang."""

START_WITHIN = 30.0
"""Seconds in which a new process must give its first sign: a Jetson loads libraries slowly."""

STALLED_AFTER = 3.0
"""Seconds that a camera may take for one frame before its driver is taken to hang."""

_BACK_OFF = (0.0, 0.5, 1.0, 2.0, 5.0)
_GPU_TRIES = 2  # a GPU library that crashes or hangs the process so often is left alone
_STEADY_AFTER = 30.0  # seconds of work after which past failures are forgotten
# Orders to the vision process.
_STOP = b"stop"
_JUDGE = b"judge liveness"
_JUDGE_NOT = b"do not judge liveness"
_LONGEST_ORDER = 64
_LONGEST_MESSAGE = 1 << 16


@dataclass(frozen=True)
class VisionSettings:
    """What the vision process is to do."""

    source: str
    loop: bool = True
    mode: CameraMode = field(default_factory=CameraMode)
    engine: Path | None = None
    smallest_face: float = 0.2
    cpu_only: bool = False


class VisionProcess:
    """The kiosk's end: starts the process, hears from it, and replaces it when it dies or hangs."""

    def __init__(self, settings: VisionSettings) -> None:
        """Checks the engine's files. Raises `ManifestError`."""
        self._settings = settings
        self._groups = check(settings.engine).groups
        self._context = multiprocessing.get_context("spawn")
        self._socket, self._their_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._memory = PreviewMemory.create()
        self._process: SpawnProcess | None = None
        self._run = 0
        self._failures = 0
        self._has_worked = False
        self._started = self._last_heard = self._start_at = 0.0
        self._heard = False
        self._on_gpu = False
        self._judging = False
        self.state = VisionState.STARTING
        self.fault: str | None = None
        self.engine_fault: str | None = None
        """Why the engine is not the one that was asked for; estimates go on."""

    def start(self) -> None:
        """Starts the process; does not wait for it."""
        self._run += 1
        self._heard = False
        self._started = self._last_heard = time.monotonic()
        self._process = self._context.Process(
            target=_main,
            args=(self._settings, self._their_socket, self._memory.name, self._run),
            name="vision",
            daemon=True,
        )
        self._process.start()
        self._tell_judging()

    @property
    def groups(self) -> tuple[AgeGroup, ...]:
        """The age groups that the engine tells apart."""
        return self._groups

    @property
    def pid(self) -> int | None:
        """The process's number, while there is one."""
        return self._process.pid if self._process else None

    def poll(self) -> list[Observation]:
        """Observations since the last call, oldest first. Also looks after the process; never waits."""
        observations = [
            Observation.from_dict(message["observation"], self._groups)
            for message in self._messages()
            if self._understood(message)
        ]
        if self.state not in (VisionState.ENDED, VisionState.FAILED):
            self._look_after()
        return observations

    def preview(self) -> Preview | None:
        """The newest picture, or None where there is none newer than the one last given."""
        return self._memory.read()

    def judge_liveness(self, wanted: bool) -> None:
        """Whether a face alone in view is to be judged alive or not, from now on: while an age check runs."""
        self._judging = wanted
        self._tell_judging()

    def stop(self) -> None:
        """Ends the process, with force if it does not listen, and frees everything."""
        if self._process:
            with contextlib.suppress(OSError):
                self._socket.send(_STOP)
            self._process.join(2.0)
            self._kill()
        self._socket.close()
        self._their_socket.close()
        self._memory.close()

    def _tell_judging(self) -> None:
        # A full channel means a process that hangs; its successor is told at its start.
        with contextlib.suppress(OSError):
            self._socket.send(_JUDGE if self._judging else _JUDGE_NOT)

    def _messages(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while True:
            try:
                message = json.loads(self._socket.recv(_LONGEST_MESSAGE))
            except BlockingIOError:
                return messages
            if message["run"] == self._run:  # not the last word of a process that was replaced
                messages.append(message)

    def _understood(self, message: dict[str, Any]) -> bool:
        """Takes in a message; True where it holds an observation."""
        self._last_heard = time.monotonic()
        self._heard = True
        if "failed" in message:
            self.fault = message["failed"]
            if not self._has_worked:
                self.state = VisionState.FAILED
        elif "engine_fault" in message:
            self._on_gpu = message["on_gpu"]
            if not self._settings.cpu_only:
                self.engine_fault = message["engine_fault"]
        elif "state" in message:
            self.state = VisionState(message["state"])
            self.fault = message["fault"]
        elif "observation" in message:
            self.state, self.fault, self._has_worked = VisionState.RUNNING, None, True
            return True
        return False

    def _look_after(self) -> None:
        now = time.monotonic()
        if self._process is None:
            if now >= self._start_at:
                self.start()
            return
        silent_for = now - self._last_heard
        if not self._process.is_alive():
            self._replace("the vision process stopped")
        elif silent_for > (HUNG_AFTER if self._heard else START_WITHIN):
            self._replace("the vision process hangs")
        elif now - self._started > _STEADY_AFTER and self.state is VisionState.RUNNING:
            self._failures = 0

    def _replace(self, why: str) -> None:
        self._kill()
        self.fault = self.fault or why
        self.state = VisionState.RESTARTING
        self._start_at = time.monotonic() + _BACK_OFF[min(self._failures, len(_BACK_OFF) - 1)]
        self._failures += 1
        if self._on_gpu and self._failures >= _GPU_TRIES:
            self._settings = replace(self._settings, cpu_only=True)
            self._on_gpu = False
            self.engine_fault = f"{why} {self._failures} times with the engine on the GPU: running on the CPU"

    def _kill(self) -> None:
        if self._process is None:
            return
        if self._process.is_alive():
            self._process.kill()
            # A process stuck in a driver dies when the driver lets go of it; nobody waits for that.
            self._process.join(0.2)
        if not self._process.is_alive():
            self._process.close()
        self._process = None


def _main(settings: VisionSettings, channel: socket.socket, memory_name: str, run: int) -> None:
    """The vision process itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes; the kiosk decides
    channel.setblocking(False)
    link = _Link(channel, run)
    try:
        with contextlib.closing(PreviewMemory.attach(memory_name)) as memory:
            _work(settings, link, memory)
    except KioskError as error:
        link.send(failed=" ".join(str(error).split()))


def _work(settings: VisionSettings, link: _Link, memory: PreviewMemory) -> None:
    # Imported here, so that the kiosk's own process loads neither dlib nor the engine's library.
    from kiosk.vision.liveness import Liveness
    from kiosk.vision.pipeline import Pipeline

    source = open_source(settings.source, loop=settings.loop, mode=settings.mode)
    engine = load(settings.engine, cpu_only=settings.cpu_only)
    report = _EngineReport(engine, link)
    pipeline = Pipeline(engine, smallest_face=settings.smallest_face)
    liveness = Liveness()
    reader = Reader(source)
    reader.start()
    try:
        while not link.told_to_stop():
            frame = reader.mailbox.take(BEAT)
            if frame is not None:
                pipeline.liveness = liveness if link.judging else None
                observation = pipeline.process(frame)
                report.renew()
                memory.write(frame.image, frame.index)
                link.send(observation=observation.to_dict())
            elif reader.error:
                raise reader.error
            elif reader.ended:
                link.send(state=VisionState.ENDED.value, fault=None)
                return
            elif reader.away:
                link.send(state=VisionState.NO_CAMERA.value, fault=f"{source.name} gives no picture")
            elif time.monotonic() - reader.last_sign > STALLED_AFTER:
                raise KioskError(f"{source.name} hangs")
            else:
                link.send(alive=True)
    finally:
        reader.stop()
        engine.close()


class _EngineReport:
    """Tells the kiosk's end and whoever reads the log what runs the network, whenever that changes."""

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
        self._link.send(engine_fault=self._told, on_gpu=self._engine.manifest.format == "tensorrt")
        if self._told:
            print(self._told, file=sys.stderr, flush=True)


class _Link:
    """The vision process's end of the channel. It never waits: what nobody reads is dropped."""

    def __init__(self, channel: socket.socket, run: int) -> None:
        self._channel = channel
        self._run = run
        self._parent = os.getppid()
        self.judging = False
        """Whether the kiosk wants to know if a face is alive."""

    def send(self, **message: object) -> None:
        # A full or closed channel means that nobody is listening now.
        with contextlib.suppress(BlockingIOError, OSError):
            self._channel.send(json.dumps({"run": self._run, **message}).encode())

    def told_to_stop(self) -> bool:
        """Whether the kiosk said so, or is gone. Takes in what else it said."""
        try:
            while order := self._channel.recv(_LONGEST_ORDER):
                if order == _STOP:
                    return True
                self.judging = order == _JUDGE
        except BlockingIOError:
            pass
        except OSError:
            return True
        return os.getppid() != self._parent
