"""A float32 network → the same in half precision: for TensorRT, whose strongly typed networks take it from the file.

Half precision is for the layers, whose sums are what takes the time, and whose activations stay small: below 30
in FacialNet, where half precision ends at 65,504. Everything before and after is left in float32: the crop's
normalisation squares differences that half precision hardly holds, and softmax costs nothing. With arithmetic
rounded to half precision after each node, probabilities on FairFace's 1,521 faces kept aside differ from
float32's by 0.002 at most, where a network converted as a whole differs by 0.009; with a twentieth of the contrast
it is 0.002 and 0.043.

ONNX Runtime's own converter (`onnxruntime.transformers.float16`) is not used: between two nodes that it is told
to leave in float32 it rounds to half precision and back, and so loses what they were left for. Nor does it leave
the nodes in order.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from trainer.export.precision import NetworkError, parse_float32

_LAYERS = {"Conv", "Gemm", "MatMul"}
_PASSING_ON = {"Relu", "MaxPool", "AveragePool", "Flatten", "Reshape", "Identity"}
"""In half precision where what they are given is."""


def to_float16(network: bytes) -> bytes:
    """The content of a float32 ONNX file → that of one with float16 weights and activations.

    Inputs and outputs keep their names, their shapes and float32. Raises `NetworkError`.
    """
    model = parse_float32(network)
    _Halving(model.graph).run()
    return bytes(model.SerializeToString(deterministic=True))


class _Halving:
    """Rewrites a graph in its own order. A value in float16 has its float32 name with an ending, and both may exist."""

    def __init__(self, graph: GraphProto) -> None:
        self._graph = graph
        self._weights = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
        self._halves: set[str] = set()
        """Float32 names of what exists in float16."""
        self._only_halves: set[str] = set()
        """Those of them that do not exist in float32."""
        self._nodes: list[NodeProto] = []

    def run(self) -> None:
        for node in self._graph.node:
            if node.op_type in _LAYERS:
                self._append_half(node, inputs=len(node.input))
            elif node.op_type in _PASSING_ON and node.input[0] in self._only_halves:
                self._append_half(node, inputs=1)
            else:
                for name in node.input:
                    self._provide_float(name)
                self._nodes.append(node)
        for output in self._graph.output:
            self._provide_float(output.name)
        used = {name for node in self._nodes for name in node.input}
        tensors = [tensor for tensor in self._graph.initializer if tensor.name in used]
        for part, content in ((self._graph.node, self._nodes), (self._graph.initializer, tensors)):
            del part[:]
            part.extend(content)
        del self._graph.value_info[:]  # which says float32 of everything

    def _append_half(self, node: NodeProto, inputs: int) -> None:
        """The node with its first `inputs` inputs and all outputs in half precision."""
        for index, name in enumerate(node.input[:inputs]):
            if name:  # an optional one may be left out
                node.input[index] = self._provide_half(name)
        for index, name in enumerate(node.output):
            self._halves.add(name)
            self._only_halves.add(name)
            node.output[index] = _half(name)
        self._nodes.append(node)

    def _provide_half(self, name: str) -> str:
        if name not in self._halves:
            self._halves.add(name)
            if name in self._weights:
                self._graph.initializer.append(_rounded(self._weights[name]))
            else:
                self._nodes.append(_cast(name, _half(name), TensorProto.FLOAT16))
        return _half(name)

    def _provide_float(self, name: str) -> None:
        if name in self._only_halves:
            self._only_halves.remove(name)
            self._nodes.append(_cast(_half(name), name, TensorProto.FLOAT))


def _half(name: str) -> str:
    return f"{name}.half"


def _cast(value: str, result: str, to: int) -> NodeProto:
    return helper.make_node("Cast", [value], [result], name=f"{result}.cast", to=to)


def _rounded(weights: TensorProto) -> TensorProto:
    with np.errstate(over="ignore"):
        halves = numpy_helper.to_array(weights).astype(np.float16)
    if not np.isfinite(halves).all():
        raise NetworkError(f"weights in {weights.name} are too large for half precision: build it in fp32")
    return numpy_helper.from_array(halves, _half(weights.name))
