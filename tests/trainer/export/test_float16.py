"""Tests of networks in float16: the same answers, and float32 where float16 would change them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from kiosk.inference.loader import check, default_path
from kiosk.inference.onnx_runtime import OnnxEngine
from tests.fakes import bar_network
from tests.fakes.networks import linear_network, manifest_of
from trainer.export.float16 import to_float16
from trainer.export.precision import NetworkError, precision_of


def to_checked_float16(model: ModelProto) -> ModelProto:
    """Returns the model in float16 with inferred types, after ONNX has checked it."""
    result = onnx.load_model_from_string(to_float16(model.SerializeToString()))
    onnx.checker.check_model(result, full_check=True)
    return onnx.shape_inference.infer_shapes(result, strict_mode=True, data_prop=True)


def types_of(model: ModelProto) -> dict[str, int]:
    """Returns the element type of every value and weight by name."""
    graph = model.graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {value.name: value.type.tensor_type.elem_type for value in values} | {
        tensor.name: tensor.data_type for tensor in graph.initializer
    }


def output_types(model: ModelProto) -> dict[str, int]:
    """Returns the element type of every node's output, by the node's name."""
    types = types_of(model)
    return {node.name: types[node.output[0]] for node in model.graph.node if node.op_type != "Cast"}


def test_only_layers_are_float16() -> None:
    half = to_checked_float16(bar_network.network())
    layers = {bar_network.CONVOLUTION, "relu", "flatten", bar_network.GENDER, bar_network.AGE}
    rest = {"mean", "centring", "gender.softmax", "age.softmax"}
    assert output_types(half) == dict.fromkeys(layers, TensorProto.FLOAT16) | dict.fromkeys(rest, TensorProto.FLOAT)


def test_no_weight_stays_in_float32() -> None:
    weights = {tensor.name: tensor.data_type for tensor in to_checked_float16(bar_network.network()).graph.initializer}
    assert weights.pop("pixels") == TensorProto.INT64
    assert len(weights) == 6
    assert set(weights.values()) == {TensorProto.FLOAT16}


@pytest.mark.parametrize("model", [bar_network.network(), linear_network()], ids=["bars", "linear"])
def test_the_interface_is_the_same(model: ModelProto) -> None:
    half = to_checked_float16(model)
    assert list(half.graph.input) == list(model.graph.input)
    assert list(half.graph.output) == list(model.graph.output)


@pytest.mark.parametrize("faces", [1, 5])
def test_answers_are_the_same(faces: int) -> None:
    network = bar_network.network().SerializeToString()
    crops = np.random.default_rng(0).random((faces, 1, 75, 75), np.float32)
    crops[:, :, 40:46] = 1
    before, after = (
        OnnxEngine(content, manifest_of(content)).infer(crops) for content in (network, to_float16(network))
    )
    for ours, theirs in zip(after, before, strict=True):
        assert ours.dtype == np.float32
        assert 0 < np.abs(ours - theirs).max() < 2e-3


def test_the_shipped_network_converts() -> None:
    content = to_float16(default_path().read_bytes())
    kinds = output_types(to_checked_float16(onnx.load(default_path())))
    assert sum(kind == TensorProto.FLOAT16 for kind in kinds.values()) == 28  # 14 layers, 12 ReLUs, pool and reshape
    crops = np.random.default_rng(0).random((4, 1, 75, 75), np.float32)
    engines = (OnnxEngine(each, check(default_path())) for each in (content, default_path().read_bytes()))
    after, before = (engine.infer(crops) for engine in engines)
    assert max(np.abs(ours - theirs).max() for ours, theirs in zip(after, before, strict=True)) < 5e-3
    assert len(content) < 0.51 * default_path().stat().st_size
    assert not onnx.load_model_from_string(content).graph.value_info  # the exporter's, which said float32


def test_a_value_can_exist_in_float16_and_float32() -> None:
    """The features go to a layer and to an output; the crops go to a layer and to a float32 node."""
    shape = ("n", 4)
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("MatMul", ["a", "weights"], ["b"], name="first"),
                helper.make_node("Relu", ["b"], ["c"], name="relu"),
                helper.make_node("Add", ["a", "c"], ["d"], name="sum"),
                helper.make_node("MatMul", ["c", "weights"], ["e"], name="second"),
                helper.make_node("MatMul", ["d", "weights"], ["f"], name="third"),
            ],
            "both",
            [helper.make_tensor_value_info("a", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "cef"],
            [numpy_helper.from_array(np.eye(4, dtype=np.float32), "weights")],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    half = to_checked_float16(model)
    assert output_types(half) == {
        "first": TensorProto.FLOAT16,
        "relu": TensorProto.FLOAT16,
        "sum": TensorProto.FLOAT,
        "second": TensorProto.FLOAT16,
        "third": TensorProto.FLOAT16,
    }
    casts = [node.output[0] for node in half.graph.node if node.op_type == "Cast"]
    assert sorted(casts) == ["a.float16", "c", "d.float16", "e", "f"]  # each once
    assert len(half.graph.initializer) == 1


def test_the_same_network_gives_the_same_file() -> None:
    network = bar_network.network().SerializeToString()
    assert to_float16(network) == to_float16(network)


def test_weights_too_large_for_float16_are_refused() -> None:
    network = bar_network.network(sureness=1e6).SerializeToString()
    with pytest.raises(
        NetworkError, match=r"weights in gender\.layer\.weight are too large for float16: build with --prec"
    ):
        to_float16(network)


def test_a_float16_network_is_refused() -> None:
    with pytest.raises(NetworkError, match="is already in fp16: use its float32 file"):
        to_float16(to_float16(bar_network.network().SerializeToString()))


def test_the_precision_is_read_from_the_file() -> None:
    network = bar_network.network().SerializeToString()
    assert precision_of(network) == "fp32"
    assert precision_of(to_float16(network)) == "fp16"


@pytest.mark.parametrize(
    "content",
    [b"", b"not a network", bar_network.network().SerializeToString()[:-100], ModelProto().SerializeToString()],
    ids=["empty", "garbage", "truncated", "without a graph"],
)
def test_content_without_a_network_is_an_error(content: bytes) -> None:
    for told_of in (precision_of, to_float16):
        with pytest.raises(NetworkError, match="is not a complete ONNX network") as caught:
            told_of(content)
        assert "\n" not in str(caught.value)
