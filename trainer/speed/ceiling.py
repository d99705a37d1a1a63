"""The machine's ceilings: how fast a library made for nothing else multiplies large matrices, and copies.

No network gets more out of a machine than a large product of the same kind of number does, if the library is a
good one. NumPy's BLAS is not always: on an EPYC of 2024 ONNX Runtime's own product was nearly twice as fast. So
both are measured where `onnx`, which the second needs, is installed, and the faster one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from trainer.speed.result import Ceiling, Device, Kind
from trainer.speed.rounds import Task, cores

CPU_SIDE = 2048
"""Of the square matrices: 8.6 billion multiply-adds, some tens of milliseconds."""

GPU_SIDE = 4096
"""Of the square matrices: large enough for a big GPU, and a tenth of a second for a Jetson's."""

COPIED = 256 * 2**20
"""Bytes: more than the caches of a processor hold."""


@dataclass(frozen=True)
class Probe:
    """One ceiling to measure."""

    device: Device
    kind: Kind
    how: str
    work: float
    """Multiply-adds, or bytes read and written, of one run."""
    run: Callable[[], object]

    def ceiling(self, task: Task) -> Ceiling:
        """What the times of its runs say."""
        return Ceiling(self.device, self.kind, self.how, self.work / task.median, len(task.times), cores([task]))


def cpu_probes() -> tuple[list[Probe], list[str]]:
    """The processor's, and what could not be measured and why."""
    random = np.random.default_rng(0)
    left, right = (random.random((CPU_SIDE, CPU_SIDE), np.float32) for _ in range(2))
    product = partial(np.matmul, left, right, out=np.empty_like(left))
    source = np.ones(COPIED, np.uint8)
    copy = partial(np.copyto, np.zeros_like(source), source)
    probes = [
        Probe("cpu", "float32", f"NumPy with {_blas()}, {CPU_SIDE}×{CPU_SIDE}", CPU_SIDE**3, product),
        Probe("cpu", "copy", f"NumPy, {COPIED // 2**20} MiB, one thread", 2 * COPIED, copy),
    ]
    try:
        import onnx
    except ImportError:
        return probes, ["int8 on the CPU has no ceiling: `onnx`, of which its product is made, is not installed"]
    how = f"ONNX Runtime, {CPU_SIDE}×{CPU_SIDE}"
    bytes_left = random.integers(0, 256, (CPU_SIDE, CPU_SIDE), np.uint8)
    bytes_right = random.integers(-128, 128, (CPU_SIDE, CPU_SIDE), np.int8)
    return [
        *probes,
        Probe("cpu", "float32", how, CPU_SIDE**3, _onnx_product(onnx, "MatMul", left, right)),
        # Unsigned by signed, as in the quantised engine: x86 has instructions for it.
        Probe("cpu", "int8", how, CPU_SIDE**3, _onnx_product(onnx, "MatMulInteger", bytes_left, bytes_right)),
    ], []


def gpu_probes(torch: Any, device: str = "cuda") -> tuple[list[Probe], list[str]]:
    """A GPU's, by torch, which calls NVIDIA's own libraries; and what could not be measured and why.

    `device` is torch's name of it.
    """
    probes, notes = [], []
    for kind, run in _gpu_products(torch, device):
        try:
            run()
        except RuntimeError:  # torch's word for what a device cannot do
            notes.append(f"{kind} on the GPU has no ceiling: torch has no such product for it")
        else:
            how = f"torch {torch.__version__}, {GPU_SIDE}×{GPU_SIDE}"
            probes.append(Probe("gpu", kind, how, GPU_SIDE**3, run))
    source = torch.ones(COPIED, dtype=torch.uint8, device=device)
    copy = _finished(torch, device, partial(torch.zeros_like(source).copy_, source))
    probes.append(Probe("gpu", "copy", f"torch, {COPIED // 2**20} MiB", 2 * COPIED, copy))
    return probes, notes


def _gpu_products(torch: Any, device: str) -> Iterator[tuple[Kind, Callable[[], object]]]:
    left, right = (torch.rand(GPU_SIDE, GPU_SIDE, device=device) for _ in range(2))
    yield "float32", _finished(torch, device, partial(torch.mm, left, right))
    yield "float16", _finished(torch, device, partial(torch.mm, left.half(), right.half()))
    integers = torch.randint(-128, 128, (GPU_SIDE, GPU_SIDE), dtype=torch.int8, device=device)
    yield "int8", _finished(torch, device, partial(torch._int_mm, integers, integers))


def _finished(torch: Any, device: str, run: Callable[[], object]) -> Callable[[], object]:
    """A GPU is only told what to do; this waits until it is done."""

    def wait() -> None:
        run()
        if device == "cuda":
            torch.cuda.synchronize()

    return wait


def _onnx_product(onnx: ModuleType, operator: str, left: NDArray[Any], right: NDArray[Any]) -> Callable[[], object]:
    """`left` × `right` in ONNX Runtime, on all cores; `right` is fixed as a network's weights are."""
    kinds = {np.dtype(kind): onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind)) for kind in (left.dtype, np.int32)}
    output = kinds[np.dtype(np.int32)] if operator == "MatMulInteger" else kinds[left.dtype]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(operator, ["left", "right"], ["product"])],
        operator,
        [onnx.helper.make_tensor_value_info("left", kinds[left.dtype], left.shape)],
        [onnx.helper.make_tensor_value_info("product", output, (len(left), right.shape[1]))],
        [onnx.numpy_helper.from_array(right, "right")],
    )
    # Versions that every ONNX Runtime of the range in setup.cfg knows.
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it would slow whoever comes next
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return partial(session.run, None, {"left": left})


def _blas() -> str:
    """The library behind NumPy's product, as far as NumPy tells."""
    built_with: Any = np.show_config(mode="dicts")
    blas = built_with.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'some BLAS')} {blas.get('version', '')}".strip()
