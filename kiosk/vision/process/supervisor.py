"""The vision process: camera, detector and engine, apart from the shop that must go on.

A driver that hangs in `read()`, a crash inside a GPU library or a corrupt stream costs a restart of
this process and nothing else. Between the two processes go only small JSON datagrams (so that one
cut off by a crash cannot spoil the next) and the preview in shared memory.
"""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from kiosk.common.backoff import Backoff
from kiosk.estimate import DECADES, AgeGroup, Observation
from kiosk.inference import ManifestError, check
from kiosk.inference.base import EngineError
from kiosk.vision.process.message_schema import parsed
from kiosk.vision.process.messages import EngineInfo, Preview, VisionMode, VisionState
from kiosk.vision.process.settings import ModeCommand, VisionSettings
from kiosk.vision.process.shared_frames import PreviewMemory
from kiosk.vision.process.worker import work

log = logging.getLogger(__name__)

HUNG_AFTER = 2.0
"""Seconds of silence after which the process is taken to hang."""

LOAD_WITHIN = 180.0
"""Seconds for an engine on a GPU to load: TensorRT for RTX compiles for the GPU at hand the first time."""

START_WITHIN = 30.0
"""Seconds in which a new process must give its first sign: a Jetson loads libraries slowly."""

_BACK_OFF = (0.0, 0.5, 1.0, 2.0, 5.0)
_GPU_TRIES = 2  # a GPU library that crashes or hangs the process so often is left alone
_LOOK_FOR_ENGINE_EVERY = 10.0  # seconds: one that is damaged is read whole each time, by the screen's thread
_STEADY_AFTER = 30.0  # seconds of work after which past failures are forgotten
_LONGEST_MESSAGE = 1 << 16

MOST_AT_ONCE = 256
"""Messages of one `poll`: it comes to an end also where a process that went mad says more than is ever heard."""


class VisionProcess:
    """The kiosk's end: starts the process, hears from it, and replaces it when it dies or hangs."""

    def __init__(self, settings: VisionSettings, mode: VisionMode = VisionMode.ESTIMATE) -> None:
        """Checks the engine's files. Raises `ManifestError`, unless it is to be patient."""
        self._settings = settings
        self._order = ModeCommand(0, mode)
        self._obeyed = False
        self._groups: tuple[AgeGroup, ...] = DECADES
        no_engine = self._why_no_engine()
        if no_engine and not settings.patient:
            raise no_engine
        self._context = multiprocessing.get_context("spawn")
        self._socket, self._their_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._memory = PreviewMemory.create()
        self._process: SpawnProcess | None = None
        self._run = 0
        self._backoff = Backoff(_BACK_OFF)
        self._has_worked = False
        self._started = self._last_heard = self._start_at = 0.0
        self._heard = False
        self._on_gpu = self._loading_gpu = self._announced = False
        self._gpu_failures = 0
        self._lacks_engine = no_engine is not None
        self.state = VisionState.FAILED if no_engine else VisionState.STARTING
        self.fault: str | None = str(no_engine) if no_engine else None
        self.engine_fault: str | None = None
        """Why the engine is not the one that was asked for; estimates go on."""
        self.engine: EngineInfo | None = None
        """What runs the network; None until the process has said so."""

    def start(self) -> None:
        """Starts the process, or has `poll` do so once there is an engine for it; does not wait for it."""
        if self._lacks_engine:
            return
        self._run += 1
        self._heard = self._obeyed = self._on_gpu = self._loading_gpu = self._announced = False
        self._started = self._last_heard = time.monotonic()
        self._process = self._context.Process(
            target=work,
            args=(self._settings, self._their_socket, self._memory.name, self._run, self._order),
            name="vision",
            daemon=True,
        )
        self._process.start()

    @property
    def groups(self) -> tuple[AgeGroup, ...]:
        """The age groups that the engine tells apart."""
        return self._groups

    @property
    def pid(self) -> int | None:
        """The process's number, while there is one."""
        return self._process.pid if self._process else None

    def fileno(self) -> int:
        """A descriptor that can be read once `poll` has something new, for whoever would rather wait than ask."""
        return self._socket.fileno()

    def poll(self) -> list[Observation]:
        """Observations since the last call, oldest first. Also looks after the process; never waits."""
        messages = [message for message in self._messages() if self._understood(message)]
        observations = [message["observation"] for message in messages if message["order"] == self._order.number]
        if observations:
            self._obeyed = True
        elif messages and not self._obeyed:
            self._tell_order()  # the last time the channel may have been full
        if self._lacks_engine:
            self._look_for_engine()
        elif self.state not in (VisionState.ENDED, VisionState.FAILED):
            self._look_after()
        return observations

    def preview(self) -> Preview | None:
        """The newest picture, or None where there is none newer than the one last given, or none may be shown."""
        # Before the first observation under this order the memory may still hold what an older one allowed.
        return self._memory.read() if self._order.shows and self._obeyed else None

    @property
    def mode(self) -> VisionMode:
        """What vision may do with whom it sees."""
        return self._order.mode

    def set_mode(self, mode: VisionMode) -> None:
        """What vision may do from now on; it holds for a process that replaces a dead one, too.

        What was made under the old mode and is still on its way is dropped. `PRESENCE` also forgets everybody.
        """
        if mode is not self._order.mode:
            self._order = ModeCommand(self._order.number + 1, mode)
            self._obeyed = False
            self._tell_order()

    def use_engine(self, engine: Path | None) -> None:
        """Another engine from now on, in a new process; None for the one that fits best.

        Raises `ManifestError`, and `EngineError` for one of other age groups, which nothing here could show. Then
        everything stays as it was.
        """
        if check(engine).groups != self._groups:
            raise EngineError(
                f"{engine} tells other age groups apart: name it as vision.engine in the settings instead"
            )
        self._lacks_engine = False
        self._kill()
        self._memory.clear()
        self._settings = replace(self._settings, engine=engine, cpu_only=False)
        self.state, self.fault, self.engine, self.engine_fault = VisionState.STARTING, None, None, None
        self._backoff.reset()
        self._gpu_failures = 0
        self._has_worked = False
        self.start()

    def stop(self) -> None:
        """Ends the process, with force if it does not listen, and frees everything."""
        if self._process:
            with contextlib.suppress(OSError):
                self._socket.send(json.dumps({"stop": True}).encode())
            self._process.join(2.0)
            self._kill()
        self._socket.close()
        self._their_socket.close()
        self._memory.close()

    def _tell_order(self) -> None:
        # A full channel means a process that hangs; its successor is told at its start.
        with contextlib.suppress(OSError):
            order = {"order": self._order.number, "mode": self._order.mode.value}
            self._socket.send(json.dumps(order).encode())

    def _messages(self) -> list[Mapping[str, Any]]:
        messages: list[Mapping[str, Any]] = []
        for _ in range(MOST_AT_ONCE):
            try:
                message = parsed(self._socket.recv(_LONGEST_MESSAGE), self._groups)
            except BlockingIOError:
                break
            if message and message["run"] == self._run:  # not the last word of a process that was replaced
                messages.append(message)
        return messages

    def _understood(self, message: Mapping[str, Any]) -> bool:
        """Takes in a message; True where it holds an observation."""
        self._last_heard = time.monotonic()
        self._heard = True
        if "failed" in message:
            self._announced = True
            self.fault = message["failed"]
            log.info("vision ends: %s", self.fault)
            if not self._has_worked and not message["passing"]:
                self.state = VisionState.FAILED
        elif "loading_gpu" in message:
            self._on_gpu = self._loading_gpu = True
        elif "engine_fault" in message:
            self._on_gpu, self._loading_gpu = message["on_gpu"], False
            self.engine = message["engine"]
            if not self._settings.cpu_only:
                if message["engine_fault"] not in (None, self.engine_fault):
                    log.warning("%s", message["engine_fault"])
                self.engine_fault = message["engine_fault"]
        elif "state" in message:
            self.state = message["state"]
            self.fault = message["fault"]
        elif "observation" in message:
            self.state, self.fault, self._has_worked = VisionState.RUNNING, None, True
            return True
        return False

    def _why_no_engine(self) -> ManifestError | None:
        """None for an engine that can be used, whose age groups hold from now on."""
        try:
            self._groups = check(self._settings.engine).groups
        except ManifestError as error:
            return error
        return None

    def _look_for_engine(self) -> None:
        """Nothing has been seen yet, so that it may tell any age groups apart."""
        now = time.monotonic()
        if now < self._start_at:
            return
        self._start_at = now + _LOOK_FOR_ENGINE_EVERY
        no_engine = self._why_no_engine()
        self.fault = str(no_engine) if no_engine else None
        if not no_engine:
            self._lacks_engine, self.state = False, VisionState.STARTING
            self.start()

    def _look_after(self) -> None:
        now = time.monotonic()
        if self._process is None:
            if now >= self._start_at:
                self.start()
            return
        silent_for = now - self._last_heard
        if not self._process.is_alive():
            self._replace("the vision process stopped")
        elif silent_for > self._patience:
            self._replace("the vision process hangs")
        elif now - self._started > _STEADY_AFTER and self.state is VisionState.RUNNING:
            self._backoff.reset()

    @property
    def _patience(self) -> float:
        """Seconds of silence to bear."""
        if self._loading_gpu:
            return LOAD_WITHIN
        return HUNG_AFTER if self._heard else START_WITHIN

    def _replace(self, why: str) -> None:
        self._kill()
        self._memory.clear()
        self._obeyed = False
        self.fault = self.fault or why
        self.state = VisionState.RESTARTING
        log.warning("%s: it is started anew", self.fault)
        self._start_at = time.monotonic() + self._backoff.next_delay()
        if self._on_gpu and not self._announced:  # what it could still announce was not its end
            self._gpu_failures += 1
            if self._gpu_failures >= _GPU_TRIES:
                self._leave_gpu(f"{why} {self._gpu_failures} times with the engine on the GPU: running on the CPU")

    def _leave_gpu(self, why: str) -> None:
        self._settings = replace(self._settings, cpu_only=True)
        self.engine_fault = why
        log.warning("%s", why)

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
