"""Which precision an ONNX network computes in, told by the file itself."""

from __future__ import annotations

import onnx
from onnx import ModelProto, TensorProto

from kiosk.common.errors import KioskError
from kiosk.inference.manifest import Precision

_EIGHT_BITS = {"QuantizeLinear", "DequantizeLinear"}


class NetworkError(KioskError):
    """A file that holds no network, or none that can be brought into another precision."""


def parsed(network: bytes) -> ModelProto:
    """The content of an ONNX file as a model. Raises `NetworkError`."""
    try:
        model = onnx.load_model_from_string(network)
        _check_weights_within(model)
        onnx.checker.check_model(model)
    except NetworkError:
        raise
    except Exception as error:  # protobuf's errors and ONNX's have no other base in common
        reason = str(error).strip().partition("\n")[0].rstrip(" :.")
        raise NetworkError(f"the file is no whole ONNX network ({reason}): export or copy it again") from error
    return model


def precision_of(network: bytes) -> Precision:
    """The precision of an ONNX file's layers. Raises `NetworkError`.

    A network of eight bits is one with explicit pairs of quantise and dequantise, whatever the rest of it
    is in; one of half precision has weights in float16.
    """
    graph = parsed(network).graph
    if any(node.op_type in _EIGHT_BITS for node in graph.node):
        return "int8"
    if any(tensor.data_type == TensorProto.FLOAT16 for tensor in graph.initializer):
        return "fp16"
    return "fp32"


def _check_weights_within(model: ModelProto) -> None:
    """No manifest covers another file, and it would be read from whatever folder is the current one."""
    tensors = [*model.graph.initializer, *(attribute.t for node in model.graph.node for attribute in node.attribute)]
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in tensors):
        raise NetworkError("the ONNX file keeps its weights in another file: export it with everything in one")


def is_unsigned(network: bytes) -> bool:
    """Whether a file in eight bits has activations from 0 on, which TensorRT does not take. Raises `NetworkError`."""
    return any(tensor.data_type == TensorProto.UINT8 for tensor in parsed(network).graph.initializer)


def parse_float32(network: bytes) -> ModelProto:
    """The same of a file that must be in float32. Raises `NetworkError`."""
    if (precision := precision_of(network)) != "fp32":
        raise NetworkError(f"the network is in {precision} already: start from its float32 file")
    return parsed(network)
