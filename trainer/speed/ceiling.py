"""Measures how fast the CPU multiplies large matrices, as a ceiling for what an engine can reach.

No network computes faster than a large matrix product of the same kind of number, if the library is a good one.
NumPy's BLAS is not always the best: on an AMD EPYC of 2024, ONNX Runtime's own product was nearly twice as fast. So
both are measured, and the faster one counts. ONNX Runtime's product needs the package `onnx`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from trainer.speed.result import Ceiling, Kind
from trainer.speed.rounds import Task

MATRIX_SIDE = 2048
"""Rows and columns of the matrices: 8.6 billion multiply-adds, some tens of milliseconds."""


@dataclass(frozen=True)
class Probe:
    """One ceiling to measure."""

    kind: Kind
    how: str
    """Library and size, for the reader."""
    multiply_adds: float
    """Number in one run."""
    run: Callable[[], object]

    def ceiling(self, task: Task) -> Ceiling:
        """Returns the rate that follows from a task's times."""
        return Ceiling("cpu", self.kind, self.how, self.multiply_adds / task.median, len(task.times))


def cpu_probes() -> tuple[list[Probe], list[str]]:
    """Returns the CPU's matrix products, and a note for each that cannot be measured here."""
    size, multiply_adds = f"{MATRIX_SIDE}×{MATRIX_SIDE}", float(MATRIX_SIDE**3)
    random = np.random.default_rng(0)
    left, right = (random.random((MATRIX_SIDE, MATRIX_SIDE), np.float32) for _ in range(2))
    product = partial(np.matmul, left, right, out=np.empty_like(left))
    probes = [Probe("float32", f"NumPy with {_blas()}, {size}", multiply_adds, product)]
    try:
        import onnx
    except ImportError:
        return probes, ["the int8 product was not measured: `pip install onnx`"]
    how = f"ONNX Runtime, {size}"
    # Unsigned by signed, as in the quantised engine: x86 has instructions for it.
    bytes_left = random.integers(0, 256, (MATRIX_SIDE, MATRIX_SIDE), np.uint8)
    bytes_right = random.integers(-128, 128, (MATRIX_SIDE, MATRIX_SIDE), np.int8)
    return [
        *probes,
        Probe("float32", how, multiply_adds, onnx_product(onnx, "MatMul", left, right)),
        Probe("int8", how, multiply_adds, onnx_product(onnx, "MatMulInteger", bytes_left, bytes_right)),
    ], []


def onnx_product(onnx: ModuleType, operator: str, left: NDArray[Any], right: NDArray[Any]) -> Callable[[], Any]:
    """Returns a function that multiplies `left` by `right` in ONNX Runtime on all cores.

    `operator` is `MatMul` for float32 and `MatMulInteger` for 8-bit integers. `right` is a constant of the graph, as
    a network's weights are. `onnx` is the module. The function returns a list with the product.
    """
    kinds = {np.dtype(kind): onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind)) for kind in (left.dtype, np.int32)}
    output = kinds[np.dtype(np.int32)] if operator == "MatMulInteger" else kinds[left.dtype]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(operator, ["left", "right"], ["product"])],
        operator,
        [onnx.helper.make_tensor_value_info("left", kinds[left.dtype], left.shape)],
        [onnx.helper.make_tensor_value_info("product", output, (len(left), right.shape[1]))],
        [onnx.numpy_helper.from_array(right, "right")],
    )
    # Every ONNX Runtime of the range in setup.cfg knows these versions.
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # spinning would slow the next task
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return partial(session.run, None, {"left": left})


def _blas() -> str:
    """Returns name and version of the library that NumPy multiplies with, as far as NumPy reports them."""
    built_with: Any = np.show_config(mode="dicts")
    blas = built_with.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'an unknown BLAS')} {blas.get('version', '')}".strip()
