"""Starts, supervises and replaces the vision process: camera, detector and engine, apart from the sale.

A driver that hangs in `read()`, a crash in a GPU library or a damaged stream costs only a restart of this process. The
processes exchange the preview in shared memory, and small JSON datagrams, so that a message cut off by a crash cannot
damage the next one.
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
from kiosk.vision.process.message_schema import parse_message
from kiosk.vision.process.messages import EngineInfo, Preview, VisionMode, VisionState
from kiosk.vision.process.settings import ModeCommand, VisionSettings
from kiosk.vision.process.shared_frames import PreviewMemory
from kiosk.vision.process.worker import work

log = logging.getLogger(__name__)

HUNG_AFTER = 2.0
"""Seconds without a message after which the process counts as hanging."""

LOAD_WITHIN = 180.0
"""Seconds in which an engine must load on a GPU. TensorRT for RTX compiles for the GPU the first time."""

START_WITHIN = 30.0
"""Seconds in which a new process must send its first message. A Jetson loads libraries slowly."""

_BACK_OFF = (0.0, 0.5, 1.0, 2.0, 5.0)
_GPU_TRIES = 2  # after this many crashes or hangs on the GPU, the CPU is used
_ENGINE_CHECK_INTERVAL = 10.0  # seconds; a damaged file is read whole each time, in the window's thread
_STEADY_AFTER = 30.0  # seconds of work after which earlier failures no longer count
_LONGEST_MESSAGE = 1 << 16

MAX_MESSAGES_PER_POLL = 256
"""The most messages of one `poll`, so that it ends even if a faulty process sends without pause."""


class VisionProcess:
    """Starts the vision process, reads its messages, and replaces it when it dies or hangs."""

    def __init__(self, settings: VisionSettings, mode: VisionMode = VisionMode.ESTIMATE) -> None:
        """Checks the engine's files. Raises `ManifestError`, unless the settings say `wait_for_device`."""
        self._settings = settings
        self._command = ModeCommand(0, mode)
        self._mode_confirmed = False
        self._groups: tuple[AgeGroup, ...] = DECADES
        engine_error = self._engine_error()
        if engine_error and not settings.wait_for_device:
            raise engine_error
        self._context = multiprocessing.get_context("spawn")
        self._socket, self._worker_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._memory = PreviewMemory.create()
        self._process: SpawnProcess | None = None
        self._run = 0
        self._backoff = Backoff(_BACK_OFF)
        self._has_worked = False
        self._started = self._last_message = self._start_at = 0.0
        self._has_sent = False
        self._on_gpu = self._loading_gpu = self._has_reported_failure = False
        self._gpu_failures = 0
        self._lacks_engine = engine_error is not None
        self.state = VisionState.FAILED if engine_error else VisionState.STARTING
        self.fault: str | None = str(engine_error) if engine_error else None
        self.engine_fault: str | None = None
        """Why another engine than the configured one is used; estimates go on."""
        self.engine: EngineInfo | None = None
        """The engine in use; None until the process has reported it."""

    def start(self) -> None:
        """Starts the process, or lets `poll` start it once there is an engine. Does not wait."""
        if self._lacks_engine:
            return
        self._run += 1
        self._has_sent = self._mode_confirmed = self._on_gpu = self._loading_gpu = self._has_reported_failure = False
        self._started = self._last_message = time.monotonic()
        self._process = self._context.Process(
            target=work,
            args=(self._settings, self._worker_socket, self._memory.name, self._run, self._command),
            name="vision",
            daemon=True,
        )
        self._process.start()

    @property
    def groups(self) -> tuple[AgeGroup, ...]:
        """The engine's age groups."""
        return self._groups

    @property
    def pid(self) -> int | None:
        """The process ID, or None."""
        return self._process.pid if self._process else None

    def fileno(self) -> int:
        """Returns a file descriptor that becomes readable when `poll` has something new."""
        return self._socket.fileno()

    def poll(self) -> list[Observation]:
        """Returns the observations since the last call, oldest first. Also restarts the process; never waits."""
        messages = [message for message in self._messages() if self._handle(message)]
        observations = [message["observation"] for message in messages if message["command"] == self._command.number]
        if observations:
            self._mode_confirmed = True
        elif messages and not self._mode_confirmed:
            self._send_command()  # the channel may have been full the last time
        if self._lacks_engine:
            self._start_when_engine_is_usable()
        elif self.state not in (VisionState.ENDED, VisionState.FAILED):
            self._supervise()
        return observations

    def preview(self) -> Preview | None:
        """Returns the newest image, or None if there is no newer one or none may be shown."""
        # Before the first observation under this command, the memory may hold an image that only an older one allowed.
        return self._memory.read() if self._command.allows_estimates and self._mode_confirmed else None

    @property
    def mode(self) -> VisionMode:
        """What vision may do with the people it sees."""
        return self._command.mode

    def set_mode(self, mode: VisionMode) -> None:
        """Sets what vision may do from now on, also for a process that replaces a dead one.

        Observations of the old mode that are still on their way are dropped. `PRESENCE` also forgets everybody.
        """
        if mode is not self._command.mode:
            self._command = ModeCommand(self._command.number + 1, mode)
            self._mode_confirmed = False
            self._send_command()

    def use_engine(self, engine: Path | None) -> None:
        """Restarts the process with another engine; None chooses the best one.

        Raises `ManifestError`, and `EngineError` for an engine with other age groups. Then nothing changes.
        """
        if check(engine).groups != self._groups:
            raise EngineError(f"{engine} has other age groups: set it as vision.engine in the settings instead")
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
        """Ends the process, by force if necessary, and releases everything."""
        if self._process:
            with contextlib.suppress(OSError):
                self._socket.send(json.dumps({"stop": True}).encode())
            self._process.join(2.0)
            self._kill()
        self._socket.close()
        self._worker_socket.close()
        self._memory.close()

    def _send_command(self) -> None:
        # A full channel means that the process hangs. Its successor gets the command at its start.
        with contextlib.suppress(OSError):
            command = {"command": self._command.number, "mode": self._command.mode.value}
            self._socket.send(json.dumps(command).encode())

    def _messages(self) -> list[Mapping[str, Any]]:
        messages: list[Mapping[str, Any]] = []
        for _ in range(MAX_MESSAGES_PER_POLL):
            try:
                message = parse_message(self._socket.recv(_LONGEST_MESSAGE), self._groups)
            except BlockingIOError:
                break
            if message and message["run"] == self._run:  # not from a process that was replaced
                messages.append(message)
        return messages

    def _handle(self, message: Mapping[str, Any]) -> bool:
        """Handles a message; returns whether it holds an observation."""
        self._last_message = time.monotonic()
        self._has_sent = True
        if "failed" in message:
            self._has_reported_failure = True
            self.fault = message["failed"]
            log.info("vision ends: %s", self.fault)
            if not self._has_worked and not message["transient"]:
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

    def _engine_error(self) -> ManifestError | None:
        """Returns the reason why the engine cannot be used, or None; then its age groups are used from now on."""
        try:
            self._groups = check(self._settings.engine).groups
        except ManifestError as error:
            return error
        return None

    def _start_when_engine_is_usable(self) -> None:
        """Starts the process once the engine can be used. Nothing was shown yet, so any age groups are accepted."""
        now = time.monotonic()
        if now < self._start_at:
            return
        self._start_at = now + _ENGINE_CHECK_INTERVAL
        engine_error = self._engine_error()
        self.fault = str(engine_error) if engine_error else None
        if not engine_error:
            self._lacks_engine, self.state = False, VisionState.STARTING
            self.start()

    def _supervise(self) -> None:
        now = time.monotonic()
        if self._process is None:
            if now >= self._start_at:
                self.start()
            return
        silent_for = now - self._last_message
        if not self._process.is_alive():
            self._restart("the vision process stopped")
        elif silent_for > self._allowed_silence:
            self._restart("the vision process hangs")
        elif now - self._started > _STEADY_AFTER and self.state is VisionState.RUNNING:
            self._backoff.reset()

    @property
    def _allowed_silence(self) -> float:
        """Seconds without a message that are allowed now."""
        if self._loading_gpu:
            return LOAD_WITHIN
        return HUNG_AFTER if self._has_sent else START_WITHIN

    def _restart(self, reason: str) -> None:
        self._kill()
        self._memory.clear()
        self._mode_confirmed = False
        self.fault = self.fault or reason
        self.state = VisionState.RESTARTING
        log.warning("%s: starting it again", self.fault)
        self._start_at = time.monotonic() + self._backoff.next_delay()
        if self._on_gpu and not self._has_reported_failure:  # a failure that it reported was not a crash
            self._gpu_failures += 1
            if self._gpu_failures >= _GPU_TRIES:
                self._leave_gpu(f"{reason} {self._gpu_failures} times with the engine on the GPU: running on the CPU")

    def _leave_gpu(self, reason: str) -> None:
        self._settings = replace(self._settings, cpu_only=True)
        self.engine_fault = reason
        log.warning("%s", reason)

    def _kill(self) -> None:
        if self._process is None:
            return
        if self._process.is_alive():
            self._process.kill()
            # A process stuck in a driver ends when the driver returns. Do not wait for that.
            self._process.join(0.2)
        if not self._process.is_alive():
            self._process.close()
        self._process = None
