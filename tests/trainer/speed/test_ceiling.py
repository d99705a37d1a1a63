"""Ceilings: what is multiplied and copied, and how a rate comes of it."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tests.fakes.timed import MILLISECOND
from trainer.speed import ceiling as bench_ceiling
from trainer.speed.ceiling import Probe, cpu_probes, gpu_probes
from trainer.speed.rounds import Task


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ceiling, "CPU_SIDE", 32)
    monkeypatch.setattr(bench_ceiling, "GPU_SIDE", 32)
    monkeypatch.setattr(bench_ceiling, "COPIED", 2**20)


def test_a_rate_is_the_work_over_the_median() -> None:
    task = Task(lambda: None)
    task.times, task.busy = [10 * MILLISECOND, 20 * MILLISECOND, 90 * MILLISECOND], 60 * MILLISECOND
    ceiling = Probe("cpu", "float32", "made-up", 4e9, task.run).ceiling(task)
    assert (ceiling.rate, ceiling.calls, ceiling.cores) == (pytest.approx(2e11), 3, pytest.approx(0.5))


def test_the_processor_is_asked_for_two_float32_products_one_of_bytes_and_a_copy() -> None:
    probes, notes = cpu_probes()
    assert [(each.device, each.kind, each.work) for each in probes] == [
        ("cpu", "float32", 32**3),
        ("cpu", "copy", 2 * 2**20),
        ("cpu", "float32", 32**3),
        ("cpu", "int8", 32**3),
    ]
    assert not notes
    for probe in probes:
        probe.run()


@pytest.mark.parametrize(
    ("operator", "left", "right"), [("MatMul", np.float32, np.float32), ("MatMulInteger", np.uint8, np.int8)]
)
def test_onnx_runtimes_product_is_the_product(operator: str, left: Any, right: Any) -> None:
    random = np.random.default_rng(0)
    a, b = (random.integers(0, 100, (16, 16)).astype(kind) for kind in (left, right))
    answers: Any = bench_ceiling._onnx_product(onnx, operator, a, b)()
    assert (answers[0] == a.astype(np.int64) @ b.astype(np.int64)).all()


def test_without_onnx_there_is_numpys_product_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    probes, [note] = cpu_probes()
    assert [each.kind for each in probes] == ["float32", "copy"]
    assert "`onnx`, of which its product is made, is not installed" in note


def test_a_gpus_ceilings_are_torchs() -> None:
    """On the processor here: torch's products are the same everywhere."""
    probes, notes = gpu_probes(torch, "cpu")
    assert [each.kind for each in probes] == ["float32", "float16", "int8", "copy"]
    assert {each.device for each in probes} == {"gpu"}
    assert not notes
    for probe in probes:
        probe.run()


def test_a_product_that_a_gpu_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> None:
        raise RuntimeError("not implemented")

    monkeypatch.setattr(torch, "_int_mm", partial(lacking))
    probes, notes = gpu_probes(torch, "cpu")
    assert "int8" not in {each.kind for each in probes}
    assert notes == ["int8 on the GPU has no ceiling: torch has no such product for it"]
