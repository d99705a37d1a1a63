"""A simulated clock, contenders whose calls take a scripted time, and figures written down by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kiosk.inference import Crops
from kiosk.inference.manifest import Precision
from trainer.speed.contenders import Contender
from trainer.speed.result import Ceiling, Device, Result, Row, Timing
from trainer.speed.rounds import Clock

MILLISECOND = 1_000_000

MACHINE: dict[str, Any] = {
    "cpu": "Some | processor",
    "cores": 2,
    "gpu": None,
    "os": "Linux",
    "python": "3.10.0",
    "numpy": "2.0",
    "onnxruntime": "1.20",
    "tensorrt": None,
    "torch": None,
}


@dataclass
class Stage:
    """A clock that advances by the scripted time of each call, and the names of the calls."""

    time: int = 0
    busy: int = 0
    played: list[str] = field(default_factory=list)
    spinning: int = 0
    """Nanoseconds of processor time that idle threads will still use."""

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.time, busy=lambda: self.busy, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.played.append("rest")
        slept = round(seconds * 1e9)
        self.time += slept
        used = min(slept, self.spinning)
        self.busy += used
        self.spinning -= used

    def play(self, name: str, milliseconds: float, cores: float = 1.0) -> None:
        self.played.append(name)
        self.time += round(milliseconds * MILLISECOND)
        self.busy += round(milliseconds * MILLISECOND * cores)

    def contender(
        self,
        name: str,
        milliseconds: Callable[[int], float],
        *,
        fault: Callable[[], str | None] = lambda: None,
        max_batch: int | None = None,
        precision: Precision = "fp32",
    ) -> Contender:
        """Returns a contender whose calls take `milliseconds(faces)`, on two cores."""

        def infer(crops: Crops) -> None:
            self.play(f"{name} {len(crops)}", milliseconds(len(crops)), 2.0)

        return Contender(name, "made-up", precision, "cpu", "0" * 64, infer, fault, lambda: None, max_batch)


def row(
    name: str,
    medians: Sequence[float],
    precision: Precision = "fp32",
    device: Device = "cpu",
    batches: Sequence[int] = (1, 2, 4, 8),
    **more: Any,
) -> Row:
    """Returns a row whose 95th percentiles are 1.5 times its medians."""
    timings = tuple(Timing(batch, 100, median, 1.5 * median) for batch, median in zip(batches, medians, strict=False))
    given: dict[str, Any] = {"sha256": "0" * 64, **more}
    return Row(name, f"made-up {device.upper()}", precision, device, timings=timings, **given)


def result(
    *rows: Row, ceilings: Sequence[Ceiling] = (), batches: tuple[int, ...] = (1, 2, 4, 8), **more: Any
) -> Result:
    """Returns the result of a run with these rows."""
    return Result(
        **{
            "machine": MACHINE,
            "batches": batches,
            "rows": rows,
            "ceilings": tuple(ceilings),
            "notes": (),
            "rounds": 9,
            **more,
        }
    )


CPU_CEILINGS = (
    Ceiling("cpu", "float32", "a slow library", 100e9, 9),
    Ceiling("cpu", "float32", "a fast library", 200e9, 9),
    Ceiling("cpu", "int8", "a fast library", 800e9, 9),
)
