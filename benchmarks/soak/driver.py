"""Runs a soak: starts the machine, does things to it, takes samples, starts it again, and lets it come to rest."""

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
from benchmarks.soak.sample import sample, written_by
from benchmarks.soak.world import Truth

MACHINE = (sys.executable, "-m", "benchmarks.soak.machine")
ROOT = Path(__file__).resolve().parents[2]

SETTINGS = """
[sound]
on = false
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
"""The accelerated pace: what takes a minute before a customer takes seconds here."""

KIOSK_UNTIL, VISION_UNTIL = 0.4, 0.6
"""Shares of the time until which the kiosk, and then vision, are killed. After that they grow old, and are judged."""
FAULT_EVERY_S, FAULTS_AT_LEAST = 20.0, 24
"""From when one fault from outside is mended to the next, in the mean; less where the time is too short for so many."""
QUIETER = 3
"""So many times longer is it between two, once only the disk is left to fail."""
SILENT_S = 90.0
"""Without a sign of life, while nothing was done to it, the machine is taken to hang."""
ORPHANED_S = 15.0
"""For how long a vision process may outlive its kiosk."""
REST_S = 240.0
"""Within which it comes to rest in the end: the longest of its time-outs and repetitions."""


@dataclass
class Recording:
    """Everything that was seen."""

    seed: str
    seconds: float
    rows: list[dict[str, Any]] = field(default_factory=list)
    """One a second: `time`, and for `kiosk` and `vision` their samples."""
    sold: list[float] = field(default_factory=list)
    """When a payment was made final, in seconds since the beginning."""
    faults: list[Fault] = field(default_factory=list)
    lives: list[dict[str, Any]] = field(default_factory=list)
    """Of the kiosk: `pid`, `began`, `ended`, `status`, and `expected` for how it was to end."""
    truth: Truth = field(default_factory=Truth)
    errors: list[str] = field(default_factory=list)
    """Standard error of all lives."""
    written: set[str] = field(default_factory=set)
    """Regular files that were open for writing."""
    problems: list[str] = field(default_factory=list)
    served: int = 0


class Soak:
    """One run, in a folder of its own."""

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
        self._heard = 0.0
        self._served_before = 0
        self._current: tuple[Fault, Cause, Target, float] | None = None
        self._fault_every = min(FAULT_EVERY_S, seconds / FAULTS_AT_LEAST)
        self._next_fault = self._random.expovariate(1 / self._fault_every) + 5.0
        self._bag: list[str] = []
        self._orphans: dict[int, float] = {}
        self._sampled = 0.0
        self._selector = selectors.DefaultSelector()

    def run(self) -> Recording:
        """Until the time is over and the machine at rest, or something is wrong that nobody recovers from."""
        self._start()
        try:
            while self._now < self._seconds and not self.recording.problems:
                self._turn(disturb=True)
            if not self.recording.problems:
                self._come_to_rest()
        finally:
            if self._child.poll() is None:
                self._child.kill()
            self._bury()
            self._selector.close()
            self.recording.seconds = min(self._now, self._seconds)
        return self.recording

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    # The machine

    def _start(self) -> None:
        faults.bring_back(self._clip)
        reads, tells = os.pipe()
        number = len(self.recording.lives)
        command = [*self._program]
        command += [
            str(self._settings),
            str(self._clip),
            str(self.state),
            f"{self.recording.seed}-{number}",
            str(tells),
        ]
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[tells],
            cwd=ROOT,
            env=self._environment,
        )
        os.close(tells)
        self._told = reads
        self._halves = {reads: b"", self._errors: b""}
        for descriptor in self._halves:
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._heard = self._now
        self._served_before = self.recording.served
        self.recording.lives.append({"pid": self._child.pid, "began": self._now, "expected": None})

    @property
    def _errors(self) -> int:
        assert self._child.stderr is not None
        return self._child.stderr.fileno()

    def _bury(self) -> None:
        """Takes in the last words of a kiosk that has ended, and keeps the devices' truth for the next."""
        life = self.recording.lives[-1]
        if "ended" in life:
            return
        status = self._child.wait()
        life |= {"ended": self._now, "status": status}
        for descriptor in (self._told, self._errors):
            if descriptor in self._selector.get_map():
                self._read(descriptor)
            if descriptor in self._selector.get_map():  # somebody else still holds its other end
                self._selector.unregister(descriptor)
        os.close(self._told)
        for stream in (self._child.stdin, self._child.stderr):
            if stream:
                stream.close()
        if pid := self._beat.get("vision_pid"):
            self._orphans[pid] = self._now
        self._beat = {}

    def _expect(self, *statuses: int) -> None:
        self.recording.lives[-1]["expected"] = statuses

    # A turn

    def _turn(self, *, disturb: bool) -> None:
        for key, _ in self._selector.select(0.1):
            self._read(key.fd)
        if self._child.poll() is not None:
            self._bury()
            life = self.recording.lives[-1]
            if life["status"] not in (life["expected"] or ()):
                self.recording.problems.append(f"the kiosk ended by itself at {self._now:.0f} s, with {life['status']}")
                return
            self._start()
        if self._now - self._heard > SILENT_S:
            self.recording.problems.append(f"the kiosk gave no sign of life for {SILENT_S:g} s at {self._now:.0f} s")
            return
        if self._now - self._sampled >= 1.0:
            self._take_sample()
        self._look_for_orphans()
        self._look_after_faults()
        if disturb and self._current is None and self._now >= self._next_fault and self._beat:
            self._disturb()

    def _look_for_orphans(self) -> None:
        """The camera belongs to the next kiosk."""
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
                self.recording.written |= set(written_by(pid))
        row |= {key: self._beat.get(key) for key in ("phase", "vision_state", "latency_ms", "late_ms", "open")}
        row["attention"] = len(self._beat.get("attention", ()))
        self.recording.rows.append(row)

    # What is said

    def _read(self, descriptor: int) -> None:
        while True:
            try:
                part = os.read(descriptor, 1 << 16)
            except BlockingIOError:
                return
            if not part:
                self._selector.unregister(descriptor)
                return
            *lines, self._halves[descriptor] = (self._halves[descriptor] + part).split(b"\n")
            for line in lines:
                if descriptor == self._told:
                    self._understand(json.loads(line))
                else:
                    self.recording.errors.append(line.decode(errors="replace"))

    def _understand(self, message: Mapping[str, Any]) -> None:
        for device in ("terminal", "dispenser"):
            if device in message:
                with (self.state / f"{device}.jsonl").open("a", encoding="utf-8") as file:
                    file.write(json.dumps(message[device]) + "\n")
                transaction, what = message[device][:2]
                if what == "settled" and transaction not in self.recording.truth.settled:  # it may be told so again
                    self.recording.sold.append(self._now)
        self.recording.truth.add(message)
        if "fault" in message:
            self.recording.faults.append(Fault(message["fault"], message["began"] - self._began))
        elif "over" in message:
            for fault in self._open_of(message["over"]):
                fault.over = message["at"] - self._began
        elif "beat" in message:
            self._heard = self._now
            self._beat = {**message, "pid": self._child.pid}
            self.recording.served = self._served_before + message["served"]

    def _open_of(self, kind: str) -> list[Fault]:
        return [fault for fault in self.recording.faults if fault.kind == kind and fault.mended is None]

    # Faults

    def _disturb(self) -> None:
        kind = self._drawn()
        if kind in OF_VISION and self._beat["vision_state"] != "running":  # one fault after the other
            self._bag.append(kind)
            return
        cause = CAUSES[kind]
        target = Target(self._child.pid, self._beat.get("vision_pid"), self._clip)
        try:
            cause.begin(target)
        except ProcessLookupError:  # it is being replaced just now
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

    def _drawn(self) -> str:
        """Each kind once, in an order by chance, before any comes again."""
        share = self._now / self._seconds
        allowed = [*OF_DISK, *(OF_KIOSK if share < KIOSK_UNTIL else ()), *(OF_VISION if share < VISION_UNTIL else ())]
        self._bag = [kind for kind in self._bag if kind in allowed]
        if not self._bag:
            self._bag = self._random.sample(allowed, len(allowed))
        return self._bag.pop()

    def _forget_devices(self) -> None:
        """A kiosk that starts finds its devices plugged in."""
        for kind in ("terminal", "dispenser"):
            for fault in self._open_of(kind):
                fault.over = fault.over or self._now

    def _look_after_faults(self) -> None:
        beat = self._beat
        beaten = beat["beat"] - self._began if beat else 0.0
        for kind in ("terminal", "dispenser"):
            for fault in self._open_of(kind):
                named = bool(beat) and kind in beat["faults"]
                fault.reported |= named
                if beat and fault.over is not None and beaten > fault.over and not named:
                    fault.mended = beaten
                self._give_up_on(fault)
        if self._current is None:
            return
        fault, cause, target, ends = self._current
        fault.reported |= bool(beat) and beaten > fault.began and cause.reports(beat)
        if fault.over is None and self._now >= ends:
            cause.end(target)
            fault.over = self._now
        if fault.over is not None and beat and beaten > fault.over and cause.works(beat, target):
            fault.mended = beaten
        self._give_up_on(fault)
        if fault.mended is not None:
            self._current = None
            quiet = 1 if self._now < VISION_UNTIL * self._seconds else QUIETER
            self._next_fault = self._now + self._random.expovariate(1 / (quiet * self._fault_every))

    def _give_up_on(self, fault: Fault) -> None:
        if fault.over is not None and fault.mended is None and self._now - fault.over > 2 * faults.WITHIN_S[fault.kind]:
            self.recording.problems.append(f"{fault.kind} of {fault.began:.0f} s was not recovered from")

    # The end

    def _come_to_rest(self) -> None:
        until = self._now + REST_S
        while self._current and not self.recording.problems:
            self._turn(disturb=False)
        assert self._child.stdin is not None
        self._child.stdin.close()
        asked = time.monotonic()
        while not self.recording.problems:
            self._turn(disturb=False)
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
            self.recording.problems.append("it did not end when it was told to")


def _sandbox(folder: Path) -> dict[str, str]:
    """Environment variables that keep whatever a kiosk writes below `folder`."""
    folders = {"HOME": "home", "TMPDIR": "tmp", "XDG_RUNTIME_DIR": "run"}
    folders |= {f"XDG_{kind}_HOME": kind.lower() for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    for name, place in folders.items():
        folders[name] = str(folder / "sandbox" / place)
        Path(folders[name]).mkdir(mode=0o700, parents=True)
    return {**os.environ, **folders, "QT_QPA_PLATFORM": "offscreen"}
