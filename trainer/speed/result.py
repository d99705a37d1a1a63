"""What `trainer bench` measured: timings of engines, the machine's ceilings, and the facts of the machine.

Computation is counted in multiply-adds. One is a multiplication and an addition, which others count as two FLOP.
"""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from kiosk.inference import gpu as cuda_device
from kiosk.inference.manifest import Precision
from kiosk.inference.tensorrt.library import libraries

MULTIPLY_ADDS = 174_889_728
"""For one face: 172,726,400 in FacialNet's convolutions and 2,163,328 in its heads. A test counts them in the file."""

MAX_OTHER_CORES = 0.1
"""The report warns if other processes kept more processor cores busy than this."""

Device = Literal["cpu", "gpu"]
Kind = Literal["float32", "float16", "int8"]

KINDS: dict[Precision, Kind] = {"fp32": "float32", "fp16": "float16", "int8": "int8"}
"""The kind of number that an engine of each precision multiplies."""


@dataclass(frozen=True)
class Timing:
    """Times of an engine's calls with one number of faces."""

    batch: int
    """Faces in a call."""
    calls: int
    median_ms: float
    p95_ms: float

    @property
    def faces_per_second(self) -> float:
        """Throughput, by the median."""
        return 1000 * self.batch / self.median_ms

    @property
    def multiply_adds_per_second(self) -> float:
        """Computation, by the median."""
        return MULTIPLY_ADDS * self.faces_per_second


@dataclass(frozen=True)
class Row:
    """Figures of one engine, or of torch."""

    name: str
    """An engine's file name, without its folder."""
    runs_on: str
    """Library and device."""
    precision: Precision
    device: Device
    sha256: str | None
    """Checksum of an engine's file; None for torch."""
    timings: tuple[Timing, ...]
    """Only of the batches that it can run."""
    fault: str | None = None
    """Why it was not measured: it does not run here, or another engine took its place."""

    def at(self, batch: int) -> Timing | None:
        """Returns the timing of a batch size, or None if it was not measured."""
        return next((timing for timing in self.timings if timing.batch == batch), None)

    @property
    def best(self) -> Timing | None:
        """The timing with the highest throughput; None if nothing was measured."""
        return max(self.timings, key=lambda timing: timing.faces_per_second, default=None)


@dataclass(frozen=True)
class Ceiling:
    """The rate of a large matrix product."""

    device: Device
    kind: Kind
    how: str
    """Library and size."""
    rate: float
    """Multiply-adds per second, by the median."""
    calls: int


@dataclass(frozen=True)
class Result:
    """Everything that one run measured."""

    machine: dict[str, Any]
    """See `machine_facts`."""
    batches: tuple[int, ...]
    """Numbers of faces in a call, ascending."""
    rows: tuple[Row, ...]
    """The first is the kiosk's own float32 network in ONNX Runtime, and has every batch."""
    ceilings: tuple[Ceiling, ...]
    notes: tuple[str, ...]
    """What was left out, and why."""
    rounds: int
    other_cores: float | None = None
    """Mean number of processor cores that other processes kept busy; None if it was not measured."""

    @property
    def is_disturbed(self) -> bool:
        """Whether other processes took so much processor time that the figures are too low."""
        return self.other_cores is not None and self.other_cores >= MAX_OTHER_CORES

    def ratio(self, row: Row, batch: int) -> float | None:
        """Returns a row's throughput divided by the first row's; None if one of them is missing."""
        own, first = row.at(batch), self.rows[0].at(batch)
        return own.faces_per_second / first.faces_per_second if own and first else None

    def share_of_product(self, row: Row, kind: Kind) -> float | None:
        """Returns a row's best multiply-adds per second, divided by those of its device's fastest product of a kind.

        It may be above 1. None where one of the two was not measured.
        """
        rates = [each.rate for each in self.ceilings if (each.device, each.kind) == (row.device, kind)]
        return row.best.multiply_adds_per_second / max(rates) if row.best and rates else None

    def to_dict(self) -> dict[str, Any]:
        """Returns all figures ready for JSON; null stands for what was not measured."""
        return {
            "machine": self.machine,
            "multiply_adds_per_face": MULTIPLY_ADDS,
            "batches": list(self.batches),
            "rounds": self.rounds,
            "others_cores": self.other_cores,
            "engines": [self._row_to_dict(row) for row in self.rows],
            "ceilings": [asdict(ceiling) for ceiling in self.ceilings],
            "notes": list(self.notes),
        }

    def _row_to_dict(self, row: Row) -> dict[str, Any]:
        timings = [
            {
                **asdict(timing),
                "faces_per_second": timing.faces_per_second,
                "multiply_adds_per_second": timing.multiply_adds_per_second,
                "times_first": self.ratio(row, timing.batch),
            }
            for timing in row.timings
        ]
        return {
            **asdict(row),
            "timings": timings,
            "share_of_float32_product": self.share_of_product(row, "float32"),
            "share_of_own_product": self.share_of_product(row, KINDS[row.precision]),
        }


_PROC = Path("/proc")


def machine_facts(torch: Any | None) -> dict[str, Any]:
    """Returns processor, GPU, system and library versions, in the order of the report; None stands for what is missing.

    `torch` is its module, or None if it is not used. The machine's network name is not among the facts.
    """
    gpu = cuda_device.find_or_none()
    return {
        "cpu": cpu_model(_PROC),
        "cores": len(os.sched_getaffinity(0)),
        "gpu": f"{gpu.name} (compute capability {gpu.capability}, driver for CUDA {gpu.cuda})" if gpu else None,
        "os": f"{_system_name()}, {platform.machine()}",
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "onnxruntime": version("onnxruntime"),
        "tensorrt": " and ".join(dict.fromkeys(str(library) for library in libraries())) or None,
        "torch": str(torch.__version__) if torch else None,
    }


def busy_seconds(proc: Path = _PROC) -> float:
    """Returns the processor time of all processes since the machine started, with the time that its host took away.

    `proc` is Linux's folder of that name.
    """
    # proc(5): user, nice, system, idle, iowait, irq, softirq, steal. The later columns are counted in these already.
    ticks = (proc / "stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    return sum(int(count) for column, count in enumerate(ticks) if column not in {3, 4}) / os.sysconf("SC_CLK_TCK")


def cpu_model(proc: Path) -> str:
    """Returns the processor's name. Linux names no ARM processor, so there it returns the board's name.

    `proc` is Linux's folder of that name.
    """
    for line in (proc / "cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    try:
        board = (proc / "device-tree" / "model").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.machine()
    return board.strip("\0\n ")


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
