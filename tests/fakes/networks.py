"""Tiny networks in ONNX files with their manifests: an engine's interface without FacialNet's weight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from kiosk.estimate import DECADES
from kiosk.inference import Crops, Manifest
from kiosk.inference.manifest import CROP_SHAPE, GENDER_LABELS, GroupEntry, Temperatures, sha256_of, write

Shape = tuple[int | str, ...]

PIXELS = 75 * 75
IN: dict[str, Shape] = {"chips": ("n", 1, 75, 75)}
OUT: dict[str, Shape] = {"gender": ("n", 2), "age": ("n", 8)}

_OPSET, _IR_VERSION = 18, 10  # what the trainer exports; ONNX's newest may be newer than the runtime's


def weights_of(classes: int) -> NDArray[np.float32]:
    """(5625, classes) weights of the linear network that these files hold."""
    return np.random.default_rng(classes).normal(0, 0.05, (PIXELS, classes)).astype(np.float32)


def expected(crops: Crops, classes: int) -> NDArray[np.float64]:
    """What the linear network says of crops, without any engine."""
    scores = crops.reshape(len(crops), PIXELS).astype(np.float64) @ weights_of(classes)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def linear_network(
    inputs: Mapping[str, Shape] = IN,
    outputs: Mapping[str, Shape] = OUT,
    input_type: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """Crops → flatten → one matrix and softmax an output. Without an argument it is a good engine.

    An output of no dimensions is the mean of its probabilities.
    """
    first, shape = next(iter(inputs.items()))
    pixels = math.prod(int(side) for side in shape[1:])
    nodes = [
        helper.make_node("Cast", [first], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["float"], ["pixels"]),
    ]
    weights = []
    for name, shape in outputs.items():
        classes = int(shape[-1]) if shape else 8
        weights.append(numpy_helper.from_array(weights_of(classes)[:pixels], f"{name}.weight"))
        result = f"{name}.shares" if not shape else name
        nodes.append(helper.make_node("MatMul", ["pixels", f"{name}.weight"], [f"{name}.scores"]))
        nodes.append(helper.make_node("Softmax", [f"{name}.scores"], [result], axis=1))
        if not shape:
            nodes.append(helper.make_node("ReduceMean", [result], [name], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info(name, input_type, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        weights,
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="tests"
    )


def manifest_of(content: bytes) -> Manifest:
    """A valid manifest for `content`, in decades."""
    return Manifest(
        format="onnx",
        sha256=sha256_of(content),
        input_shape=CROP_SHAPE,
        gender_labels=GENDER_LABELS,
        age_groups=tuple(GroupEntry(label=group.label, low=group.low, high=group.high) for group in DECADES),
        temperatures=Temperatures(gender=1.2, age=1.5),
        trained_on="nothing",
        built_by={"tool": "tests"},
    )


def write_engine(path: Path, content: bytes) -> Path:
    """Writes an engine and a manifest that is its own."""
    path.write_bytes(content)
    write(manifest_of(content), path)
    return path
