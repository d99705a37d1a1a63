"""`trainer bench`: measures the latency and throughput of engines on this machine, and compares them with torch.

It measures speed alone. `trainer evaluate` measures accuracy, and `trainer benchmark` runs a published protocol.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kiosk.common.atomic_files import replace_file
from kiosk.inference import Crops, EngineError, check, default_path
from kiosk.inference.manifest import CROP_SHAPE
from trainer.speed.ceiling import Probe, cpu_probes
from trainer.speed.contenders import Contender, engine_paths, import_torch, open_engine, open_torch
from trainer.speed.result import Result, Row, Timing, busy_seconds, machine_facts
from trainer.speed.rounds import Clock, Task, time_in_rounds

BATCHES = (1, 2, 4, 8)
"""Numbers of faces in a call."""

SECONDS = 20.0
"""Measuring time of a whole run."""


def bench(
    engines: Sequence[Path], batches: Sequence[int] = BATCHES, seconds: float = SECONDS, with_torch: bool = True
) -> Result:
    """Measures the kiosk's own network, the named engines and torch, and returns the figures.

    `batches` are numbers of faces in a call. Loading takes additional time to `seconds`. Raises `ManifestError` and
    `EngineError` for an engine that cannot be loaded.
    """
    paths = engine_paths(engines)
    torch = import_torch() if with_torch else "torch is not measured, because of --no-torch"
    probes, notes = cpu_probes()
    with ExitStack() as stack:
        contenders = []
        for name, path in paths.items():
            contenders.append(open_engine(name, path))
            stack.callback(_close, contenders[-1])
        if isinstance(torch, str):
            notes.append(torch)
        else:
            notes += _add_torch(torch, contenders)
        machine = machine_facts(None if isinstance(torch, str) else torch)
        started, others_before = time.perf_counter(), busy_seconds() - time.process_time()
        result = measure(contenders, probes, machine, batches, seconds, notes)
        other_cores = (busy_seconds() - time.process_time() - others_before) / (time.perf_counter() - started)
    return replace(result, other_cores=max(0.0, other_cores))


def measure(
    contenders: Sequence[Contender],
    probes: Sequence[Probe],
    machine: dict[str, Any],
    batches: Sequence[int],
    seconds: float,
    notes: Sequence[str] = (),
    clock: Clock = Clock(),  # noqa: B008 — it holds nothing but functions
) -> Result:
    """Times contenders and probes in rounds, for about `seconds`, and returns the figures.

    Raises `EngineError` if the first contender cannot run one of the batches: all others are compared with it.
    """
    batches = tuple(sorted(set(batches)))
    crops = {batch: random_crops(batch) for batch in batches}
    tasks = [_tasks_by_batch(contender, crops) for contender in contenders]
    probe_tasks = [Task(probe.run) for probe in probes]
    groups = [list(group.values()) for group in tasks if group]
    rounds = time_in_rounds([*groups, *([task] for task in probe_tasks)], seconds, clock)
    for task in tasks[0].values():
        if task.failure is not None:
            raise EngineError(task.failure)
    return Result(
        machine=machine,
        batches=batches,
        rows=tuple(_row(contender, group) for contender, group in zip(contenders, tasks, strict=True)),
        ceilings=tuple(probe.ceiling(task) for probe, task in zip(probes, probe_tasks, strict=True)),
        notes=(*notes, *_failure_notes(contenders, tasks)),
        rounds=rounds,
    )


def random_crops(count: int) -> Crops:
    """Returns `(count, 1, 75, 75) float32` random gray levels in 0…1: no layer's time depends on its input."""
    return np.random.default_rng(0).random((count, *CROP_SHAPE[1:]), np.float32)


def write_json(result: Result, path: Path) -> None:
    """Writes all figures to a file, as `Result.to_dict` describes them. Raises `OSError`."""
    with replace_file(path) as temporary:
        text = json.dumps(result.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _close(contender: Contender) -> None:
    with suppress(EngineError):  # the GPU is lost; the figures measured before are still valid
        contender.close()


def _add_torch(torch: Any, contenders: list[Contender]) -> list[str]:
    """Adds torch on the CPU, and on the GPU if torch finds one. Returns notes for the reader."""
    manifest = check(default_path())
    contenders.append(open_torch(torch, manifest, "cpu"))
    if not torch.cuda.is_available():
        return ["torch finds no NVIDIA GPU: it was measured on the CPU alone"]
    contenders.append(open_torch(torch, manifest, "cuda"))
    return []


def _tasks_by_batch(contender: Contender, crops: dict[int, Crops]) -> dict[int, Task]:
    """Returns no task for an engine that has fallen back: its times would be those of another engine."""
    if contender.fault() is not None:
        return {}
    return {batch: Task(partial(contender.infer, faces)) for batch, faces in crops.items()}


def _row(contender: Contender, tasks: dict[int, Task]) -> Row:
    fault = contender.fault()  # the engine may also have fallen back while it was timed
    timed = {batch: task for batch, task in tasks.items() if task.times} if fault is None else {}
    return Row(
        name=contender.name,
        runs_on=contender.runs_on,
        precision=contender.precision,
        device=contender.device,
        sha256=contender.sha256,
        timings=tuple(
            Timing(batch, len(task.times), 1000 * task.median, 1000 * task.p95) for batch, task in timed.items()
        ),
        fault=fault,
    )


def _failure_notes(contenders: Sequence[Contender], tasks: Sequence[dict[int, Task]]) -> list[str]:
    notes = []
    for contender, group in zip(contenders, tasks, strict=True):
        if (fault := contender.fault()) is not None:
            notes.append(f"{contender.name} was not measured: {fault}")
            continue
        notes += [
            f"{contender.name} does not run at {batch}: {task.failure}" for batch, task in group.items() if task.failure
        ]
        if contender.max_batch is not None and contender.max_batch < max(group):
            notes.append(f"{contender.name} runs at most {contender.max_batch} faces at once: more take several calls")
    return notes
