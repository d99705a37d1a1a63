"""Runs a soak: starts the machine, causes faults, takes samples, restarts it, and waits until it is at rest."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.soak import faults
from benchmarks.soak.faults import CAUSES, OF_DISK, OF_KIOSK, OF_VISION, Cause, Fault, Target
from benchmarks.soak.sample import files_written_by, sample
from benchmarks.soak.world import Truth

MACHINE = (sys.executable, "-m", "benchmarks.soak.machine")
ROOT = Path(__file__).resolve().parents[2]

SETTINGS = """
[sound]
enabled = false
[age_check]
seconds = 0.5
min_good_frames = 4
time_out = 3.0
[timeouts]
warning = 1.0
browsing = 4.0
selected = 3.0
age_check = 4.0
ask_id = 4.0
id_refused = 3.0
paying = 4.0
declined = 3.0
dispensing = 4.0
refunding = 3.0
done = 2.0
service = 20.0
"""
"""Settings with short timeouts: what takes a minute in a shop takes seconds here."""

KIOSK_UNTIL, VISION_UNTIL = 0.4, 0.6
"""Shares of the time after which the kiosk, and then vision, are not killed any more, so that drift can be judged."""
FAULT_EVERY_S, FAULTS_AT_LEAST = 20.0, 24
"""Mean seconds from recovery to the next fault, and the number of faults for which a short soak uses less."""
QUIETER = 3
"""The factor by which faults become rarer once only the disk fails."""
SILENT_S = 90.0
"""Seconds without a sign of life after which the machine counts as hung."""
ORPHANED_S = 15.0
"""Seconds that a vision process may outlive its kiosk."""
REST_S = 240.0
"""Seconds in which the machine must come to rest at the end: its longest timeout and repetition."""


@dataclass
class Recording:
    """Everything that the driver recorded."""

    seed: str
    seconds: float
    rows: list[dict[str, Any]] = field(default_factory=list)
    """One row per second: `time`, and the samples of `kiosk` and `vision`."""
    sold: list[float] = field(default_factory=list)
    """When each payment was settled, in seconds since the start."""
    faults: list[Fault] = field(default_factory=list)
    lives: list[dict[str, Any]] = field(default_factory=list)
    """Each process of the kiosk: `pid`, `began`, `ended`, `status`, and `expected`, its allowed exit statuses."""
    truth: Truth = field(default_factory=Truth)
    errors: list[str] = field(default_factory=list)
    """The lines of standard error of all lives."""
    written: set[str] = field(default_factory=set)
    """Regular files that were open for writing."""
    problems: list[str] = field(default_factory=list)
    served: int = 0


class Soak:
    """One soak, in a folder of its own."""

    def __init__(self, folder: Path, seconds: float, seed: str, program: Sequence[str] = MACHINE) -> None:
        self.recording = Recording(seed, seconds)
        self._program = program
        self._random = Random(seed)
        self._folder = folder
        self._seconds = seconds
        self._began = time.monotonic()
        self.state = folder / "state"
        self._clip = folder / "clip.mp4"
        self._settings = folder / "kiosk.toml"
        self._environment = _sandbox(folder)
        self.state.mkdir()
        shutil.copyfile(str(resources.files("kiosk.assets") / "demo.mp4"), self._clip)
        self._settings.write_text(SETTINGS, encoding="utf-8")
        self._beat: dict[str, Any] = {}
        self._last_beat = 0.0
        self._served_before = 0
        self._current: tuple[Fault, Cause, Target, float] | None = None
        self._fault_every = min(FAULT_EVERY_S, seconds / FAULTS_AT_LEAST)
        self._next_fault = self._random.expovariate(1 / self._fault_every) + 5.0
        self._bag: list[str] = []
        self._orphans: dict[int, float] = {}
        self._sampled = 0.0
        self._selector = selectors.DefaultSelector()

    def run(self) -> Recording:
        """Runs until the time is over and the machine is at rest, or until a problem stops the soak.

        Returns the recording, which lists the problems.
        """
        self._start()
        try:
            while self._now < self._seconds and not self.recording.problems:
                self._step(may_disturb=True)
            if not self.recording.problems:
                self._come_to_rest()
        finally:
            if self._child.poll() is None:
                self._child.kill()
            self._collect_ended()
            self._selector.close()
            self.recording.seconds = min(self._now, self._seconds)
        return self.recording

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    # The machine

    def _start(self) -> None:
        faults.bring_back(self._clip)
        receive_end, send_end = os.pipe()
        number = len(self.recording.lives)
        command = [*self._program]
        command += [
            str(self._settings),
            str(self._clip),
            str(self.state),
            f"{self.recording.seed}-{number}",
            str(send_end),
        ]
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[send_end],
            cwd=ROOT,
            env=self._environment,
        )
        os.close(send_end)
        self._messages = receive_end
        self._partial_lines = {receive_end: b"", self._errors: b""}
        for descriptor in self._partial_lines:
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._last_beat = self._now
        self._served_before = self.recording.served
        self.recording.lives.append({"pid": self._child.pid, "began": self._now, "expected": None})

    @property
    def _errors(self) -> int:
        assert self._child.stderr is not None
        return self._child.stderr.fileno()

    def _collect_ended(self) -> None:
        """Reads the last output of a kiosk that has ended, and closes its pipes."""
        life = self.recording.lives[-1]
        if "ended" in life:
            return
        status = self._child.wait()
        life |= {"ended": self._now, "status": status}
        for descriptor in (self._messages, self._errors):
            if descriptor in self._selector.get_map():
                self._read(descriptor)
            if descriptor in self._selector.get_map():  # another process still holds the other end
                self._selector.unregister(descriptor)
        os.close(self._messages)
        for stream in (self._child.stdin, self._child.stderr):
            if stream:
                stream.close()
        if pid := self._beat.get("vision_pid"):
            self._orphans[pid] = self._now
        self._beat = {}

    def _expect(self, *statuses: int) -> None:
        self.recording.lives[-1]["expected"] = statuses

    # A step

    def _step(self, *, may_disturb: bool) -> None:
        for key, _ in self._selector.select(0.1):
            self._read(key.fd)
        if self._child.poll() is not None:
            self._collect_ended()
            life = self.recording.lives[-1]
            if life["status"] not in (life["expected"] or ()):
                self.recording.problems.append(f"the kiosk ended by itself at {self._now:.0f} s, with {life['status']}")
                return
            self._start()
        if self._now - self._last_beat > SILENT_S:
            self.recording.problems.append(f"the kiosk gave no sign of life for {SILENT_S:g} s at {self._now:.0f} s")
            return
        if self._now - self._sampled >= 1.0:
            self._take_sample()
        self._check_orphans()
        self._follow_faults()
        if may_disturb and self._current is None and self._now >= self._next_fault and self._beat:
            self._begin_fault()

    def _check_orphans(self) -> None:
        """Ends vision processes that outlive their kiosk, because the next kiosk needs the camera."""
        self._orphans = {pid: since for pid, since in self._orphans.items() if sample(pid)}
        for pid, since in self._orphans.items():
            if self._now - since > ORPHANED_S:
                self.recording.problems.append(f"a vision process outlived its kiosk of {since:.0f} s")
                os.kill(pid, signal.SIGKILL)

    def _take_sample(self) -> None:
        self._sampled = self._now
        row: dict[str, Any] = {"time": round(self._now, 2)}
        for name, pid in (("kiosk", self._child.pid), ("vision", self._beat.get("vision_pid"))):
            taken = sample(pid) if pid else None
            if pid and taken:
                row[name] = {"pid": pid, **taken._asdict()}
                self.recording.written |= set(files_written_by(pid))
        row |= {key: self._beat.get(key) for key in ("phase", "vision_state", "latency_ms", "late_ms", "open")}
        row["attention"] = len(self._beat.get("attention", ()))
        self.recording.rows.append(row)

    # Messages

    def _read(self, descriptor: int) -> None:
        while True:
            try:
                part = os.read(descriptor, 1 << 16)
            except BlockingIOError:
                return
            if not part:
                self._selector.unregister(descriptor)
                return
            *lines, self._partial_lines[descriptor] = (self._partial_lines[descriptor] + part).split(b"\n")
            for line in lines:
                if descriptor == self._messages:
                    self._handle_message(json.loads(line))
                else:
                    self.recording.errors.append(line.decode(errors="replace"))

    def _handle_message(self, message: Mapping[str, Any]) -> None:
        for device in ("terminal", "dispenser"):
            if device in message:
                with (self.state / f"{device}.jsonl").open("a", encoding="utf-8") as file:
                    file.write(json.dumps(message[device]) + "\n")
                transaction, what = message[device][:2]
                if what == "settled" and transaction not in self.recording.truth.settled:  # the terminal may repeat it
                    self.recording.sold.append(self._now)
        self.recording.truth.add(message)
        if "fault" in message:
            self.recording.faults.append(Fault(message["fault"], message["began"] - self._began))
        elif "over" in message:
            for fault in self._open_of(message["over"]):
                fault.over = message["at"] - self._began
        elif "beat" in message:
            self._last_beat = self._now
            self._beat = {**message, "pid": self._child.pid}
            self.recording.served = self._served_before + message["served"]

    def _open_of(self, kind: str) -> list[Fault]:
        return [fault for fault in self.recording.faults if fault.kind == kind and fault.mended is None]

    # Faults

    def _begin_fault(self) -> None:
        kind = self._next_kind()
        if kind in OF_VISION and self._beat["vision_state"] != "running":  # only one fault at a time
            self._bag.append(kind)
            return
        cause = CAUSES[kind]
        target = Target(self._child.pid, self._beat.get("vision_pid"), self._clip)
        try:
            cause.begin(target)
        except ProcessLookupError:  # the process is being replaced now
            faults.bring_back(self._clip)
            return
        if kind == "kiosk killed":
            self._expect(-signal.SIGKILL)
        elif kind == "kiosk ended":
            self._expect(0)
        fault = Fault(kind, self._now)
        self.recording.faults.append(fault)
        self._current = fault, cause, target, self._now + self._random.uniform(*cause.seconds)
        if kind in OF_KIOSK:
            self._forget_devices()

    def _next_kind(self) -> str:
        """Returns the next kind of fault: each kind once in random order, before any is repeated."""
        share = self._now / self._seconds
        allowed = [*OF_DISK, *(OF_KIOSK if share < KIOSK_UNTIL else ()), *(OF_VISION if share < VISION_UNTIL else ())]
        self._bag = [kind for kind in self._bag if kind in allowed]
        if not self._bag:
            self._bag = self._random.sample(allowed, len(allowed))
        return self._bag.pop()

    def _forget_devices(self) -> None:
        """Ends faults of the devices, which are connected again in a new kiosk."""
        for kind in ("terminal", "dispenser"):
            for fault in self._open_of(kind):
                fault.over = fault.over or self._now

    def _follow_faults(self) -> None:
        beat = self._beat
        beaten = beat["beat"] - self._began if beat else 0.0
        for kind in ("terminal", "dispenser"):
            for fault in self._open_of(kind):
                named = bool(beat) and kind in beat["faults"]
                fault.reported |= named
                if beat and fault.over is not None and beaten > fault.over and not named:
                    fault.mended = beaten
                self._check_recovery(fault)
        if self._current is None:
            return
        fault, cause, target, ends = self._current
        fault.reported |= bool(beat) and beaten > fault.began and cause.reports(beat)
        if fault.over is None and self._now >= ends:
            cause.end(target)
            fault.over = self._now
        if fault.over is not None and beat and beaten > fault.over and cause.works(beat, target):
            fault.mended = beaten
        self._check_recovery(fault)
        if fault.mended is not None:
            self._current = None
            quiet = 1 if self._now < VISION_UNTIL * self._seconds else QUIETER
            self._next_fault = self._now + self._random.expovariate(1 / (quiet * self._fault_every))

    def _check_recovery(self, fault: Fault) -> None:
        if fault.over is not None and fault.mended is None and self._now - fault.over > 2 * faults.WITHIN_S[fault.kind]:
            self.recording.problems.append(f"{fault.kind} of {fault.began:.0f} s was not followed by recovery")

    # The end

    def _come_to_rest(self) -> None:
        until = self._now + REST_S
        while self._current and not self.recording.problems:
            self._step(may_disturb=False)
        assert self._child.stdin is not None
        self._child.stdin.close()
        asked = time.monotonic()
        while not self.recording.problems:
            self._step(may_disturb=False)
            beat = self._beat
            at_rest = beat and beat["beat"] > asked + 1 and beat["open"] == 0 and not beat["faults"]
            if at_rest and beat["phase"] == "attract":
                break
            if self._now > until:
                self.recording.problems.append(f"it did not come to rest: {beat}")
        self._expect(0)
        self._child.terminate()
        try:
            self._child.wait(60)
        except subprocess.TimeoutExpired:
            self.recording.problems.append("it did not end within 60 s of SIGTERM")


def _sandbox(folder: Path) -> dict[str, str]:
    """Returns environment variables that keep all files of the kiosk below `folder`."""
    folders = {"HOME": "home", "TMPDIR": "tmp", "XDG_RUNTIME_DIR": "run"}
    folders |= {f"XDG_{kind}_HOME": kind.lower() for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    for name, place in folders.items():
        folders[name] = str(folder / "sandbox" / place)
        Path(folders[name]).mkdir(mode=0o700, parents=True)
    return {**os.environ, **folders, "QT_QPA_PLATFORM": "offscreen"}
