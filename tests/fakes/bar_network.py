"""A tiny network that knows the made-up faces: it looks where on a crop a bar is, and whether it is bright.

crops → normalisation → a convolution over three whole rows at a time, bright and dark → ReLU → one matrix a head
→ softmax. Every part of FacialNet's file is there.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from kiosk.estimate import DECADES

CONVOLUTION, GENDER, AGE = "convolution", "gender.layer", "age.layer"
"""The names of its layers."""

_ROWS = 25
_BRIGHT, _DARK, _LOUD = range(3)


def network(loudness: float = 0.0, sureness: float = 8.0) -> ModelProto:
    """The network; `loudness` is a constant activation that no head looks at, but that takes eight bits' range."""
    nodes = [
        helper.make_node("ReduceMean", ["chips", "pixels"], ["mean"], name="mean", keepdims=1),
        helper.make_node("Sub", ["chips", "mean"], ["centred"], name="centring"),
        helper.make_node("Conv", ["centred", "filters", "filters.bias"], ["rows"], name=CONVOLUTION, strides=[3, 1]),
        helper.make_node("Relu", ["rows"], ["lit"], name="relu"),
        helper.make_node("Flatten", ["lit"], ["features"], name="flatten"),
    ]
    weights = {"pixels": np.array([2, 3]), **_filters(loudness)}
    for head, layer, matrix in (("gender", GENDER, _gender()), ("age", AGE, _age())):
        weights |= {f"{layer}.weight": sureness * matrix, f"{layer}.bias": np.full(len(matrix), 0.1, np.float32)}
        inputs = ["features", f"{layer}.weight", f"{layer}.bias"]
        nodes.append(helper.make_node("Gemm", inputs, [f"{head}.logits"], name=layer, transB=1))
        nodes.append(helper.make_node("Softmax", [f"{head}.logits"], [head], name=f"{head}.softmax", axis=1))
    graph = helper.make_graph(
        nodes,
        "bars",
        [helper.make_tensor_value_info("chips", TensorProto.FLOAT, ("n", 1, 75, 75))],
        [
            helper.make_tensor_value_info("gender", TensorProto.FLOAT, ("n", 2)),
            helper.make_tensor_value_info("age", TensorProto.FLOAT, ("n", len(DECADES))),
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10, producer_name="tests")


def _filters(loudness: float) -> dict[str, np.ndarray]:
    """The mean of three rows, if it is well above the crop's or well below it; and nothing but a constant."""
    filters = np.zeros((3, 1, 3, 75), np.float32)
    filters[_BRIGHT], filters[_DARK] = 1 / 225, -1 / 225
    return {"filters": filters, "filters.bias": np.array([-0.1, -0.1, loudness], np.float32)}


def _gender() -> np.ndarray:
    """(2, 75) weights: a woman's bar is bright."""
    matrix = np.zeros((2, 3, _ROWS), np.float32)
    matrix[0, _BRIGHT], matrix[1, _DARK] = 1, 1
    return matrix.reshape(2, -1)


def _age() -> np.ndarray:
    """(8, 75) weights: a bar begins at pixel row 4 + 9·group, and is six rows high."""
    matrix = np.zeros((len(DECADES), 3, _ROWS), np.float32)
    for group in range(len(DECADES)):
        matrix[group, [_BRIGHT, _DARK], 3 * group + 2] = 1
    return matrix.reshape(len(DECADES), -1)
