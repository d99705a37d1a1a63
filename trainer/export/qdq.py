"""Quantises a float32 network to eight bits, with explicit QuantizeLinear and DequantizeLinear nodes (QDQ).

Only the layers that multiply by weights are quantised: their weights, with one scale for each channel, and their
inputs, with one scale for each tensor. Their outputs stay in float through ReLU and pooling, and are quantised before
the next layer. So a runtime fuses everything between two QDQ pairs into one layer of eight bits. The normalisation of
the crop and the softmax have no weights and stay in float. In eight bits a probability would have steps of 0.4 %, and
an age check may need 99 %.

There are two forms, because no single file is best for both:

    cpu        Activations are 0…255, as ONNX Runtime's kernels for x86 expect, and weights have 7 bits. A CPU without
               VNNI adds two products in 16 bits and silently saturates. With weights of 8 bits, probabilities differed
               by up to 0.55 on an emulated Haswell, and the age group within one was right 0.8 points less often. With
               7 bits, 255·64·2 fits, and every answer there was bit-identical to the one with VNNI.
    tensorrt   Activations and weights are -127…127, both with a zero point of 0, and biases are float: the form that
               TensorRT's parser accepts.

An activation's range holds 99.99 % of its values on the calibration crops. The full range grows with outliers: age
probabilities then differ from float32's by 0.0051 on average with 512 crops and by 0.0065 with 1,024. With 99.99 % they
differ by 0.0030 (tensorrt, FairFace's calibration split). ONNX Runtime's entropy method gave the full range, with the
number of bins that it uses.
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
"""The runtime that a file is for."""

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
    """Returns the names of the layers that can be quantised, in order. Raises `NetworkError` if there are none."""
    model = _name_nodes(parse_float32(network))
    weights = {tensor.name for tensor in model.graph.initializer}
    layers = tuple(
        node.name for node in model.graph.node if node.op_type in _LAYERS and not weights.isdisjoint(node.input)
    )
    if not layers:
        raise NetworkError(
            "the network has no layer that can be quantised: it has no Conv, Gemm or MatMul with weights"
        )
    return layers


def quantise_to_qdq(
    network: bytes,
    crops: Crops,
    form: Form,
    kept_float32: Collection[str] = (),
    on_crops: Callable[[int], object] = lambda _: None,
) -> bytes:
    """Returns the content of an ONNX file in eight bits, from that of a float32 one and `(n, 1, 75, 75) float32` crops.

    The layers named in `kept_float32` stay in float32. `on_crops` is called with the number of crops in each processed
    batch. Raises `NetworkError`.
    """
    model = _name_nodes(parse_float32(network))
    options = _OPTIONS[form]
    with TemporaryDirectory(prefix="kiosk-int8-") as folder, _silence_quantiser():
        source, result = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        onnx.save_model(model, source)
        try:
            quantize_static(
                source,
                result,
                _Reader(crops, on_crops),
                op_types_to_quantize=list(_LAYERS),
                nodes_to_exclude=list(kept_float32),
                per_channel=True,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.Percentile,
                **options
                | {
                    "extra_options": {
                        **options["extra_options"],
                        "OpTypesToExcludeOutputQuantization": list(_LAYERS),
                        "CalibPercentile": _PERCENTILE,
                        "CalibStridedMinMax": 1,  # otherwise all activations of all crops are in memory at once
                    }
                },
            )
        except Exception as error:  # ONNX Runtime's errors have no other common base
            reason = str(error).strip().partition("\n")[0]
            raise NetworkError(f"ONNX Runtime cannot quantise the network: {reason}") from error
        return _restore_float32_inputs(onnx.load_model(result), model, kept_float32).SerializeToString(
            deterministic=True
        )


class _Reader(CalibrationDataReader):
    """Gives the crops to the quantiser, batch by batch. Its length and ranges count batches."""

    def __init__(self, crops: Crops, on_crops: Callable[[int], object]) -> None:
        self._crops, self._on_crops = crops, on_crops
        self.set_range(0, len(self))

    def __len__(self) -> int:
        return -(-len(self._crops) // _BATCH)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._batches = iter(range(start_index, end_index))

    def get_next(self) -> dict[str, Crops] | None:
        index = next(self._batches, None)
        if index is None:
            return None
        batch = self._crops[index * _BATCH : (index + 1) * _BATCH]
        self._on_crops(len(batch))
        return {"chips": batch}


def _name_nodes(model: ModelProto) -> ModelProto:
    """Gives every node a name, because the quantiser identifies nodes by name."""
    for node in model.graph.node:
        node.name = node.name or f"{node.op_type}.{node.output[0]}"
    return model


def _restore_float32_inputs(model: ModelProto, float32: ModelProto, layers: Collection[str]) -> ModelProto:
    """Gives excluded layers their float32 inputs back.

    The quantiser leaves the weights of an excluded layer in float32, but not an activation that it shares with another
    layer, as both heads of FacialNet share the trunk's.
    """
    before = {node.name: node.input for node in float32.graph.node}
    for node in model.graph.node:
        if node.name in layers:
            node.input[:] = before[node.name]
    needed = {output.name for output in model.graph.output}
    nodes = []
    for node in reversed(model.graph.node):  # a node comes after the nodes that it needs
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
            nodes.append(node)
    tensors = [tensor for tensor in model.graph.initializer if tensor.name in needed]
    for part, content in ((model.graph.node, nodes[::-1]), (model.graph.initializer, tensors)):
        del part[:]
        part.extend(content)
    return model


@contextmanager
def _silence_quantiser() -> Iterator[None]:
    """Suppresses the quantiser's output and the warnings that it logs at every run."""
    root, disabled = logging.getLogger(), logging.root.manager.disable
    nothing = logging.NullHandler()
    root.addHandler(nothing)  # without a handler, the first warning would install one
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        root.removeHandler(nothing)
