"""`trainer bench`: how fast engines are on this machine, beside torch, and how near they come to what it can do.

Speed alone: `trainer evaluate` says how right an engine is, `trainer benchmark` runs a published protocol.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from kiosk.inference import Crops, EngineError, check, default_path
from kiosk.inference.manifest import CROP_SHAPE
from trainer.speed.ceiling import Probe, cpu_probes, gpu_probes
from trainer.speed.contenders import Contender, engine_paths, open_engine, torch_eager, torch_or_why
from trainer.speed.result import Result, Row, Timing, busy_seconds, facts
from trainer.speed.rounds import Clock, Task, cores, take_turns

BATCHES = (1, 2, 4, 8)
"""Faces a call."""

SECONDS = 20.0
"""For the whole run."""


class BenchError(KioskError):
    """A picture that cannot be drawn here."""


def bench(
    engines: Sequence[Path], batches: Sequence[int] = BATCHES, seconds: float = SECONDS, with_torch: bool = True
) -> Result:
    """Measures the kiosk's own network, those engines and torch, in turns.

    `batches` are faces a call; loading comes on top of `seconds`. Raises `ManifestError` and `EngineError` for an
    engine that cannot be loaded.
    """
    paths = engine_paths(engines)
    torch = torch_or_why() if with_torch else "torch was left out, as asked"
    probes, notes = cpu_probes()
    with ExitStack() as opened:
        contenders = []
        for name, path in paths.items():
            contenders.append(open_engine(name, path))
            opened.callback(_close, contenders[-1])
        if isinstance(torch, str):
            notes.append(torch)
        else:
            notes += _add_torch(torch, contenders, probes)
        if "gpu" in {each.device for each in contenders} - {each.device for each in probes}:
            notes.append("the GPU has no ceiling: it is measured by torch, which has none here or finds no GPU")
        machine = facts(None if isinstance(torch, str) else torch)
        started, elsewhere = time.perf_counter(), busy_seconds() - time.process_time()
        result = measure(contenders, probes, machine, batches, seconds, notes)
        others = (busy_seconds() - time.process_time() - elsewhere) / (time.perf_counter() - started)
    return replace(result, others=max(0.0, others))


def measure(
    contenders: Sequence[Contender],
    probes: Sequence[Probe],
    machine: dict[str, Any],
    batches: Sequence[int],
    seconds: float,
    notes: Sequence[str] = (),
    clock: Clock = Clock(),  # noqa: B008 — it holds nothing but functions
) -> Result:
    """Times contenders and ceilings in turns. Raises `EngineError` if the first contender does not run."""
    batches = tuple(sorted(set(batches)))
    crops = {batch: random_crops(batch) for batch in batches}
    tasks = [_tasks(contender, crops) for contender in contenders]
    ceilings = [Task(probe.run) for probe in probes]
    groups = [list(group.values()) for group in tasks if group]
    rounds = take_turns([*groups, *([task] for task in ceilings)], seconds, clock)
    for task in tasks[0].values():
        if task.failure is not None:
            raise EngineError(task.failure)
    return Result(
        machine=machine,
        batches=batches,
        rows=tuple(_row(contender, group) for contender, group in zip(contenders, tasks, strict=True)),
        ceilings=tuple(probe.ceiling(task) for probe, task in zip(probes, ceilings, strict=True)),
        notes=(*notes, *_remarks(contenders, tasks)),
        rounds=rounds,
    )


def random_crops(count: int) -> Crops:
    """(count, 1, 75, 75) of random gray levels in 0…1: no layer's time depends on what it sees."""
    return np.random.default_rng(count).random((count, *CROP_SHAPE[1:]), np.float32)


def write_json(result: Result, path: Path) -> None:
    """Writes all figures to a file, as `Result.to_dict` describes them."""
    with replace_file(path) as temporary:
        text = json.dumps(result.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def artist() -> Callable[[Result, Path], None]:
    """What draws a result. Raises `BenchError` where Matplotlib is missing, so ask before measuring."""
    try:
        from trainer.speed.figure import draw
    except ImportError as error:
        raise BenchError("a picture needs Matplotlib: run `pip install matplotlib`, or leave out --figure") from error
    return draw


def _close(contender: Contender) -> None:
    with suppress(EngineError):  # of a GPU that was lost; what was measured before is not
        contender.close()


def _add_torch(torch: Any, contenders: list[Contender], probes: list[Probe]) -> list[str]:
    """Torch's rows and its ceilings, where it has them; returns what is to be said."""
    manifest = check(default_path())
    contenders.append(torch_eager(torch, manifest, "cpu"))
    if not torch.cuda.is_available():
        return ["torch finds no NVIDIA GPU: it was measured on the CPU alone"]
    contenders.append(torch_eager(torch, manifest, "cuda"))
    on_gpu, notes = gpu_probes(torch)
    probes += on_gpu
    return [*notes, "a GPU may run float32 convolutions in TF32, which its float32 product does not"]


def _tasks(contender: Contender, crops: dict[int, Crops]) -> dict[int, Task]:
    """By batch; none for an engine that has fallen back, whose times would be another's."""
    if contender.fault() is not None:
        return {}
    return {batch: Task(partial(contender.infer, faces)) for batch, faces in crops.items()}


def _row(contender: Contender, tasks: dict[int, Task]) -> Row:
    fault = contender.fault()  # it may have come while it was timed
    timings = {batch: task for batch, task in tasks.items() if task.times} if fault is None else {}
    return Row(
        name=contender.name,
        runs_on=contender.runs_on,
        precision=contender.precision,
        device=contender.device,
        sha256=contender.sha256,
        weights_bytes=contender.weights_bytes,
        cores=cores(list(timings.values())),
        timings=tuple(
            Timing(batch, len(task.times), 1000 * task.median, 1000 * task.p95) for batch, task in timings.items()
        ),
        fault=fault,
    )


def _remarks(contenders: Sequence[Contender], tasks: Sequence[dict[int, Task]]) -> list[str]:
    remarks = []
    for contender, group in zip(contenders, tasks, strict=True):
        if (fault := contender.fault()) is not None:
            remarks.append(f"{contender.name} was not measured: {fault}")
            continue
        remarks += [
            f"{contender.name} does not run at {batch}: {task.failure}" for batch, task in group.items() if task.failure
        ]
        if contender.most is not None and contender.most < max(group):
            remarks.append(f"{contender.name} takes more than {contender.most} faces in parts of at most so many")
    return remarks
