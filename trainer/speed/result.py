"""What `trainer bench` found: timings of engines, the machine's ceilings, and how near the ones come to the others.

Sums are counted in multiply-adds: one is a multiplication and an addition, or two of what others call FLOP.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from kiosk.inference import gpu as cuda_device
from kiosk.inference.manifest import Precision
from kiosk.inference.tensorrt.library import libraries

MULTIPLY_ADDS = 174_889_728
"""Of one face: 172,726,400 in FacialNet's convolutions and 2,163,328 in its heads. A test counts them in the file."""

MOST_OTHERS = 0.1
"""Cores that others may keep busy without a word."""

Device = Literal["cpu", "gpu"]
Kind = Literal["float32", "float16", "int8", "copy"]

KINDS: dict[Precision, Kind] = {"fp32": "float32", "fp16": "float16", "int8": "int8"}
"""Which product an engine's sums are like."""


@dataclass(frozen=True)
class Timing:
    """Single calls of an engine with so many faces each."""

    batch: int
    calls: int
    median_ms: float
    p95_ms: float

    @property
    def faces_per_second(self) -> float:
        """By the median."""
        return 1000 * self.batch / self.median_ms

    @property
    def multiply_adds_per_second(self) -> float:
        """By the median."""
        return MULTIPLY_ADDS * self.faces_per_second


@dataclass(frozen=True)
class Row:
    """One engine, or torch."""

    name: str
    """An engine's file name, without the folder it lies in."""
    runs_on: str
    """Which library, and where."""
    precision: Precision
    device: Device
    sha256: str | None
    """Of an engine's file; None for torch, which has none."""
    weights_bytes: int
    """Of an engine's file, which is nearly all weights; of torch's parameters."""
    cores: float | None
    """Processor cores kept busy in the mean; None if it was not measured."""
    timings: tuple[Timing, ...]
    """Of the batches that it can take."""
    fault: str | None = None
    """Why it was not measured: it does not run here, or another engine had to take its place."""

    def at(self, batch: int) -> Timing | None:
        """The timing at a batch, if it could be taken."""
        return next((timing for timing in self.timings if timing.batch == batch), None)

    @property
    def best(self) -> Timing | None:
        """The timing of most faces a second."""
        return max(self.timings, key=lambda timing: timing.faces_per_second, default=None)


@dataclass(frozen=True)
class Ceiling:
    """What the machine does at most: a large matrix product, or a large copy."""

    device: Device
    kind: Kind
    how: str
    """Library and size."""
    rate: float
    """Multiply-adds a second by the median; of a copy, bytes read and written a second."""
    calls: int
    cores: float | None


@dataclass(frozen=True)
class Result:
    """All of one run."""

    machine: dict[str, Any]
    batches: tuple[int, ...]
    rows: tuple[Row, ...]
    """The first is the kiosk's own float32 network in ONNX Runtime, and has every batch."""
    ceilings: tuple[Ceiling, ...]
    notes: tuple[str, ...]
    """What was left out, and why."""
    rounds: int
    others: float | None = None
    """Processor cores that other processes kept busy meanwhile, in the mean; None if nobody looked."""

    @property
    def disturbed(self) -> bool:
        """Whether others took so much that figures, and above all those of what takes long, are too low."""
        return self.others is not None and self.others >= MOST_OTHERS

    @property
    def devices(self) -> tuple[Device, ...]:
        """Those that something was measured on."""
        measured = {row.device for row in self.rows if row.timings}
        return tuple(device for device in ("cpu", "gpu") if device in measured)

    def ratio(self, row: Row, batch: int) -> float | None:
        """How many times the first row's throughput."""
        ours, base = row.at(batch), self.rows[0].at(batch)
        return ours.faces_per_second / base.faces_per_second if ours and base else None

    def ceiling(self, device: Device, kind: Kind) -> Ceiling | None:
        """The highest that was measured of its kind."""
        fitting = (each for each in self.ceilings if (each.device, each.kind) == (device, kind))
        return max(fitting, key=lambda each: each.rate, default=None)

    def share_of_product(self, row: Row, kind: Kind) -> float | None:
        """Its multiply-adds a second, where it is fastest, over those of its device's matrix product of that kind."""
        ceiling = self.ceiling(row.device, kind)
        return row.best.multiply_adds_per_second / ceiling.rate if row.best and ceiling else None

    def share_of_copy(self, row: Row) -> float | None:
        """The rate at which it reads its weights, if it does so once in its smallest batch, over that of a copy."""
        ceiling = self.ceiling(row.device, "copy")
        if not row.timings or not ceiling:
            return None
        smallest = min(row.timings, key=lambda timing: timing.batch)
        return 1000 * row.weights_bytes / smallest.median_ms / ceiling.rate

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "machine": self.machine,
            "multiply_adds_per_face": MULTIPLY_ADDS,
            "batches": list(self.batches),
            "rounds": self.rounds,
            "others_cores": self.others,
            "engines": [self._row(row) for row in self.rows],
            "ceilings": [asdict(ceiling) for ceiling in self.ceilings],
            "notes": list(self.notes),
        }

    def _row(self, row: Row) -> dict[str, Any]:
        return {
            **asdict(row),
            "timings": list(self._timings(row)),
            "share_of_float32_product": self.share_of_product(row, "float32"),
            "share_of_own_product": self.share_of_product(row, KINDS[row.precision]),
            "share_of_copy": self.share_of_copy(row),
        }

    def _timings(self, row: Row) -> Iterable[dict[str, Any]]:
        for timing in row.timings:
            yield {
                **asdict(timing),
                "faces_per_second": timing.faces_per_second,
                "multiply_adds_per_second": timing.multiply_adds_per_second,
                "times_first": self.ratio(row, timing.batch),
            }


_PROC = Path("/proc")


def facts(torch: Any | None) -> dict[str, Any]:
    """In the order that they are shown in; None is what this machine has not. `torch` is its module, if it is used."""
    gpu = cuda_device.find_or_none()
    return {
        "cpu": cpu_model(_PROC),
        "cores": len(os.sched_getaffinity(0)),
        "gpu": f"{gpu.name} (compute capability {gpu.capability}, driver for CUDA {gpu.cuda})" if gpu else None,
        "os": f"{_system()}, {platform.machine()}",
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "onnxruntime": version("onnxruntime"),
        "tensorrt": " and ".join(dict.fromkeys(str(library) for library in libraries())) or None,
        "torch": str(torch.__version__) if torch else None,
    }


def busy_seconds(proc: Path = _PROC) -> float:
    """Processor time that everybody has used since the machine was started, and what its host took away."""
    # proc(5): user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in them already.
    ticks = (proc / "stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    return sum(int(count) for place, count in enumerate(ticks) if place not in {3, 4}) / os.sysconf("SC_CLK_TCK")


def cpu_model(proc: Path) -> str:
    """The processor's name; of an ARM, which has none here, the board's. `proc` is Linux's folder of that name."""
    for line in (proc / "cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    try:
        board = (proc / "device-tree" / "model").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.machine()
    return board.strip("\0\n ")


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
