"""Reads from an ONNX file in which precision its network computes."""

from __future__ import annotations

import onnx
from onnx import ModelProto, TensorProto

from kiosk.common.errors import KioskError
from kiosk.inference.manifest import Precision

_QDQ_OPERATORS = {"QuantizeLinear", "DequantizeLinear"}


class NetworkError(KioskError):
    """A file contains no network, or one that cannot be converted to another precision."""


def parse_network(network: bytes) -> ModelProto:
    """Parses and checks the content of an ONNX file. Raises `NetworkError`."""
    try:
        model = onnx.load_model_from_string(network)
        _check_weights_are_inside(model)
        onnx.checker.check_model(model)
    except NetworkError:
        raise
    except Exception as error:  # the errors of protobuf and ONNX have no other common base
        reason = str(error).strip().partition("\n")[0].rstrip(" :.")
        raise NetworkError(f"the file is not a complete ONNX network ({reason}): export or copy it again") from error
    return model


def precision_of(network: bytes) -> Precision:
    """Returns the precision of an ONNX file's layers, from its content. Raises `NetworkError`.

    A network with QuantizeLinear and DequantizeLinear is `int8`, whatever its other values are. One with float16
    weights is `fp16`.
    """
    graph = parse_network(network).graph
    if any(node.op_type in _QDQ_OPERATORS for node in graph.node):
        return "int8"
    if any(tensor.data_type == TensorProto.FLOAT16 for tensor in graph.initializer):
        return "fp16"
    return "fp32"


def _check_weights_are_inside(model: ModelProto) -> None:
    """Refuses weights in another file: no manifest covers it, and it would be read from the current folder."""
    tensors = [*model.graph.initializer, *(attribute.t for node in model.graph.node for attribute in node.attribute)]
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in tensors):
        raise NetworkError("the ONNX file has its weights in another file: export it as a single file")


def has_unsigned_activations(network: bytes) -> bool:
    """Whether an ONNX file in eight bits has unsigned activations, which TensorRT refuses. Raises `NetworkError`."""
    return any(tensor.data_type == TensorProto.UINT8 for tensor in parse_network(network).graph.initializer)


def parse_float32(network: bytes) -> ModelProto:
    """Parses and checks the content of a float32 ONNX file. Raises `NetworkError`, also for another precision."""
    if (precision := precision_of(network)) != "fp32":
        raise NetworkError(f"the network is already in {precision}: use its float32 file")
    return parse_network(network)
