"""Latency per face: the kiosk's engines, torch and the alternative's networks, and the limits of the machine.

It is `trainer bench` with two more contenders. The alternative gets each request through a pipe and uses crops that it
already has; the cost of an empty request is measured too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from benchmarks.bench.alternative import PACKAGE, Alternative
from benchmarks.bench.processes import cpu_nanoseconds
from kiosk.inference import Crops, check, default_path, locations
from trainer.speed.bench import BATCHES, measure
from trainer.speed.ceiling import cpu_probes
from trainer.speed.contenders import Contender, engine_paths, import_torch, open_engine, open_torch
from trainer.speed.result import MULTIPLY_ADDS, Result, Row, machine_facts
from trainer.speed.rounds import Clock

BOTH, RESNET = f"{PACKAGE}, both networks", f"{PACKAGE}, its age ResNet alone"

_EMPTY_REQUESTS = 200


def per_face(seconds: float, alternative: Alternative | None, batches: Sequence[int] = BATCHES) -> dict[str, Any]:
    """Returns latencies by batch size in ms, and the machine's limits. Raises `ManifestError` and `EngineError`."""
    eight_bits = locations.own_folder() / locations.CPU_INT8
    probes, notes = cpu_probes()
    torch = import_torch()
    with ExitStack() as opened:
        contenders = []
        for name, path in engine_paths([eight_bits] if eight_bits.exists() else []).items():
            contenders.append(open_engine(name, path))
            opened.callback(contenders[-1].close)
        if isinstance(torch, str):
            notes.append(torch)
        else:
            contenders.append(open_torch(torch, check(default_path()), "cpu"))
        clock = Clock()
        if alternative is not None:
            contenders += [
                _alternative(BOTH, ("age", "gender"), alternative),
                _alternative(RESNET, ("age",), alternative),
            ]
            clock = Clock(busy=lambda: time.process_time_ns() + cpu_nanoseconds(alternative.pid))
            notes.append(f"the alternative's times have a pipe's {1000 * _request_seconds(alternative):.2f} ms in them")
        machine = machine_facts(None if isinstance(torch, str) else torch)
        result = measure(contenders, probes, machine, batches, seconds, notes, clock)
    return {
        "machine": machine,
        "rounds": result.rounds,
        "notes": list(result.notes),
        "multiply_adds_per_face": MULTIPLY_ADDS,
        "engines": [_row(result, row) for row in result.rows],
        "ceilings": [asdict(ceiling) for ceiling in result.ceilings],
    }


def _row(result: Result, row: Row) -> dict[str, Any]:
    ours = row.name not in (BOTH, RESNET)  # the alternative's networks have other numbers of operations
    return {
        "name": row.name,
        "runs_on": row.runs_on,
        "precision": row.precision,
        "fault": row.fault,
        "median_ms": {str(timing.batch): timing.median_ms for timing in row.timings},
        "p95_ms": {str(timing.batch): timing.p95_ms for timing in row.timings},
        "share_of_float32_product": result.share_of_product(row, "float32") if ours else None,
        "share_of_int8_product": result.share_of_product(row, "int8") if ours else None,
    }


def _alternative(name: str, tasks: Sequence[str], alternative: Alternative) -> Contender:
    def infer(crops: Crops) -> None:
        alternative.run_networks(tasks, len(crops))

    return Contender(
        name=name,
        runs_on=f"ONNX Runtime {alternative.facts.get('onnxruntime', '')} on the CPU",
        precision="fp32",
        device="cpu",
        sha256=None,
        infer=infer,
        fault=lambda: None,
        close=lambda: None,
    )


def _request_seconds(alternative: Alternative) -> float:
    """Returns the median seconds of a request that runs no network."""
    times = []
    for _ in range(_EMPTY_REQUESTS):
        started = time.perf_counter()
        alternative.run_networks((), 1)
        times.append(time.perf_counter() - started)
    return sorted(times)[len(times) // 2]
