"""Tests of the matrix products: what is multiplied, and how a rate follows from the times."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import onnx
import pytest

from tests.fakes.timed import MILLISECOND
from trainer.speed import ceiling as bench_ceiling
from trainer.speed.ceiling import Probe, cpu_probes, onnx_product
from trainer.speed.rounds import Task


@pytest.fixture(autouse=True)
def _small_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ceiling, "MATRIX_SIDE", 32)


def test_a_rate_is_the_number_of_multiply_adds_over_the_median() -> None:
    task = Task(lambda: None)
    task.times = [10 * MILLISECOND, 20 * MILLISECOND, 90 * MILLISECOND]
    ceiling = Probe("float32", "made-up", 4e9, task.run).ceiling(task)
    assert (ceiling.device, ceiling.rate, ceiling.calls) == ("cpu", pytest.approx(2e11), 3)


def test_the_cpu_runs_two_float32_products_and_one_of_bytes() -> None:
    probes, notes = cpu_probes()
    assert [(each.kind, each.multiply_adds) for each in probes] == [
        ("float32", 32**3),
        ("float32", 32**3),
        ("int8", 32**3),
    ]
    assert not notes
    for probe in probes:
        probe.run()


@pytest.mark.parametrize(
    ("operator", "left", "right"), [("MatMul", np.float32, np.float32), ("MatMulInteger", np.uint8, np.int8)]
)
def test_onnx_runtime_multiplies_as_numpy_does(operator: str, left: Any, right: Any) -> None:
    random = np.random.default_rng(0)
    a, b = (random.integers(0, 100, (16, 16)).astype(kind) for kind in (left, right))
    [product] = onnx_product(onnx, operator, a, b)()
    assert (product == a.astype(np.int64) @ b.astype(np.int64)).all()


def test_without_onnx_only_numpys_product_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    probes, notes = cpu_probes()
    assert [each.kind for each in probes] == ["float32"]
    assert notes == ["the int8 product was not measured: `pip install onnx`"]
