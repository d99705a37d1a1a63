"""A float32 network → the same in eight bits, by explicit pairs of quantise and dequantise.

Quantised are the layers that multiply by weights, and nothing else: their weights, with one scale a channel, and
what they are given, with one scale a tensor. What they give goes on to ReLU and pooling in float, and is quantised
before the next layer, so that a runtime fuses all between two pairs into one layer of eight bits. The crop's
normalisation and the softmax, neither of which has weights, stay as they are: eight bits for a probability would be
steps of 0.4 %, where an age check asks for 99 %.

There are two forms, because no file is best for both:

    cpu        activations 0…255, as ONNX Runtime's kernels for x86 take them, and weights of 7 bits. A CPU without
               VNNI adds two products in 16 bits, and silently clips: with weights of 8 bits a probability was off by
               up to 0.55 on an emulated Haswell, and the age group within one right 0.8 points less often. With 7
               bits, 255·64·2 has room, and every answer there was to the last bit what it is with VNNI.
    tensorrt   activations and weights from -127 to 127, both with a zero point of 0, and biases in float: the form
               that TensorRT's parser takes.

An activation's range holds 99.99 % of its values on the calibration crops. The whole range grows with its outliers:
age probabilities then differ from float32's by 0.0051 in the mean with 512 crops and by 0.0065 with 1,024, where
these differ by 0.0030 (tensorrt, FairFace's calibration split). ONNX Runtime's entropy method, at the number of bins
that it works with, gave the whole range.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import onnx
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static

from kiosk.inference import Crops
from trainer.export.precision import NetworkError, parse_float32

Form = Literal["cpu", "tensorrt"]
"""What runs the file."""

_LAYERS = ("Conv", "Gemm", "MatMul")
_PERCENTILE = 99.99
_BATCH = 32
_OPTIONS: dict[Form, dict[str, Any]] = {
    "cpu": {"activation_type": QuantType.QUInt8, "reduce_range": True, "extra_options": {}},
    "tensorrt": {
        "activation_type": QuantType.QInt8,
        "extra_options": {"ActivationSymmetric": True, "WeightSymmetric": True, "QuantizeBias": False},
    },
}


def layers_of(network: bytes) -> tuple[str, ...]:
    """The names of the layers that are quantised. Raises `NetworkError` where there is none."""
    model = _named(parse_float32(network))
    weights = {tensor.name for tensor in model.graph.initializer}
    layers = tuple(
        node.name for node in model.graph.node if node.op_type in _LAYERS and not weights.isdisjoint(node.input)
    )
    if not layers:
        raise NetworkError("the network has no layer that can be quantised: neither convolutions nor matrices")
    return layers


def quantise_to_qdq(
    network: bytes,
    crops: Crops,
    form: Form,
    kept_float: Collection[str] = (),
    seen: Callable[[int], object] = lambda _: None,
) -> bytes:
    """The content of a float32 ONNX file → that of one in eight bits, calibrated on crops.

    Layers named in `kept_float` stay as they are. `seen` is told how many crops were looked at, part by
    part. Raises `NetworkError`.
    """
    model = _named(parse_float32(network))
    options = _OPTIONS[form]
    with TemporaryDirectory(prefix="kiosk-eight-bits-") as folder, _quietly():
        source, result = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        onnx.save_model(model, source)
        try:
            quantize_static(
                source,
                result,
                _Reader(crops, seen),
                op_types_to_quantize=list(_LAYERS),
                nodes_to_exclude=list(kept_float),
                per_channel=True,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.Percentile,
                **options
                | {
                    "extra_options": {
                        **options["extra_options"],
                        "OpTypesToExcludeOutputQuantization": list(_LAYERS),
                        "CalibPercentile": _PERCENTILE,
                        "CalibStridedMinMax": 1,  # else every activation of every crop is held in memory at once
                    }
                },
            )
        except Exception as error:  # ONNX Runtime's errors have no common base but this
            reason = str(error).strip().partition("\n")[0]
            raise NetworkError(f"ONNX Runtime cannot quantise the network: {reason}") from error
        return _unquantised(onnx.load_model(result), model, kept_float).SerializeToString(deterministic=True)


class _Reader(CalibrationDataReader):
    """Crops as the quantiser asks for them. It counts in batches."""

    def __init__(self, crops: Crops, seen: Callable[[int], object]) -> None:
        self._crops, self._seen = crops, seen
        self.set_range(0, len(self))

    def __len__(self) -> int:
        return -(-len(self._crops) // _BATCH)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._waiting = iter(range(start_index, end_index))

    def get_next(self) -> dict[str, Crops] | None:
        index = next(self._waiting, None)
        if index is None:
            return None
        batch = self._crops[index * _BATCH : (index + 1) * _BATCH]
        self._seen(len(batch))
        return {"chips": batch}


def _named(model: ModelProto) -> ModelProto:
    """Every node with a name, by which the quantiser tells them apart."""
    for node in model.graph.node:
        node.name = node.name or f"{node.op_type}.{node.output[0]}"
    return model


def _unquantised(model: ModelProto, float32: ModelProto, layers: Collection[str]) -> ModelProto:
    """Gives layers back what they were given in float32.

    The quantiser leaves out the weights of a layer that it is told to leave out, but not an activation that another
    layer shares with it, as both heads of FacialNet share the trunk's.
    """
    before = {node.name: node.input for node in float32.graph.node}
    for node in model.graph.node:
        if node.name in layers:
            node.input[:] = before[node.name]
    needed = {output.name for output in model.graph.output}
    nodes = []
    for node in reversed(model.graph.node):  # in order, so whoever needs a node comes after it
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
            nodes.append(node)
    tensors = [tensor for tensor in model.graph.initializer if tensor.name in needed]
    for part, content in ((model.graph.node, nodes[::-1]), (model.graph.initializer, tensors)):
        del part[:]
        part.extend(content)
    return model


@contextmanager
def _quietly() -> Iterator[None]:
    """Keeps to itself what the quantiser prints, and what it advises at every run."""
    root, disabled = logging.getLogger(), logging.root.manager.disable
    nothing = logging.NullHandler()
    root.addHandler(nothing)  # without any handler, its first warning would set up one of its own
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        root.removeHandler(nothing)
