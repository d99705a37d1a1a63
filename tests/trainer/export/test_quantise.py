"""Tests of networks in eight bits: accuracy, the form for each runtime, and reproducible files."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from kiosk.estimate import ADIENCE
from kiosk.inference.loader import default_path
from kiosk.inference.manifest import Manifest, read_checked
from kiosk.inference.onnx_runtime import OnnxEngine
from kiosk.inference.selection import keeps_accuracy
from tests.fakes import bar_network, made_up
from tests.fakes.judged import saved
from tests.fakes.networks import manifest_of
from trainer.data.faces import Faces
from trainer.evaluation.manifest_accuracy import AccuracyError
from trainer.export.float16 import to_float16
from trainer.export.precision import NetworkError, precision_of
from trainer.export.qdq import Form, layers_of, quantise_to_qdq
from trainer.export.quantise import CALIBRATION_FACES, MIN_FACES, QuantisedNetwork, QuantiseError, quantise
from trainer.training.augment import centre_crops

FORMS: tuple[Form, ...] = get_args(Form)
LOUD = 2000.0
"""More than 255 times the heads' other inputs, which eight bits then round to 0."""

every_form = pytest.mark.parametrize("form", FORMS)


def content_of(loudness: float = 0.0) -> bytes:
    return bar_network.network(loudness).SerializeToString()


def quantise_made_up(form: Form, faces: Faces, loudness: float = 0.0) -> QuantisedNetwork:
    content = content_of(loudness)
    return quantise(content, manifest_of(content), faces, form, progress=False)


@pytest.fixture(scope="session")
def faces(made_up_set: Path) -> Faces:
    """96 faces for the ranges, 32 for comparing and 32 for measuring."""
    return Faces.load([made_up_set])


@pytest.fixture(scope="session")
def results(faces: Faces) -> dict[Form, QuantisedNetwork]:
    """The network in eight bits, in every form."""
    return {form: quantise_made_up(form, faces) for form in FORMS}


class Graph:
    """A quantised file's graph, with look-ups by name."""

    def __init__(self, content: bytes) -> None:
        self.model: ModelProto = onnx.load_model_from_string(content)
        onnx.checker.check_model(self.model, full_check=True)
        self.weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in self.model.graph.initializer}
        self.makers: dict[str, NodeProto] = {name: node for node in self.model.graph.node for name in node.output}

    def pairs(self, kind: str) -> list[tuple[NDArray, NDArray]]:
        """Returns scale and zero point of every node of one kind."""
        return [
            (self.weights[node.input[1]], self.weights[node.input[2]])
            for node in self.model.graph.node
            if node.op_type == kind
        ]

    def layer(self, name: str) -> list[NodeProto | None]:
        """Returns the node that computes each input of a layer; None for a plain weight."""
        (layer,) = (node for node in self.model.graph.node if node.name == name)
        return [self.makers.get(value) for value in layer.input]


# What it is worth


@every_form
def test_accuracy_is_kept(results: dict[Form, QuantisedNetwork], form: Form) -> None:
    result = results[form]
    assert result.before.gender == result.before.age == 1
    assert result.accuracy == result.before
    assert result.accuracy.faces == 32
    assert (result.kept_float32, result.losses) == ((), (0.0,))
    assert precision_of(result.content) == "int8"


@every_form
@pytest.mark.parametrize("count", [1, 5])
def test_answers_are_near_the_networks(
    results: dict[Form, QuantisedNetwork], faces: Faces, form: Form, count: int
) -> None:
    crops = centre_crops(faces.crops(faces.rows("test")[:count]))
    contents = content_of(), results[form].content
    before, after = (OnnxEngine(content, manifest_of(content)).infer(crops) for content in contents)
    for ours, theirs in zip(after, before, strict=True):
        assert ours.shape == theirs.shape
        assert 0 < np.abs(ours - theirs).max() < 0.05


@every_form
def test_layers_that_lose_accuracy_stay_in_float32(faces: Faces, form: Form) -> None:
    result = quantise_made_up(form, faces, LOUD)
    assert result.kept_float32 == (bar_network.AGE, bar_network.GENDER)
    assert result.losses == (0.875, 0.5, 0.0)
    assert result.accuracy == result.before
    graph = Graph(result.content)
    assert all(maker is None or maker.op_type == "Flatten" for maker in graph.layer(bar_network.GENDER))
    assert [maker and maker.op_type for maker in graph.layer(bar_network.CONVOLUTION)[:2]] == ["DequantizeLinear"] * 2
    assert len(graph.pairs("QuantizeLinear")) == 1  # and no unused one
    assert result.manifest(manifest_of(content_of(LOUD))).built_by["kept in float"] == "age.layer, gender.layer"


@every_form
def test_a_float32_layer_gets_no_quantised_input_of_another_layer(faces: Faces, form: Form) -> None:
    """Both heads have the same features as input."""
    crops = centre_crops(faces.crops(faces.rows("train")))
    graph = Graph(quantise_to_qdq(content_of(), crops, form, [bar_network.AGE]))
    assert [maker and maker.op_type for maker in graph.layer(bar_network.AGE)] == ["Flatten", None, None]
    assert graph.layer(bar_network.GENDER)[0].op_type == "DequantizeLinear"


# What the file is like


@every_form
def test_only_layers_are_in_eight_bits(results: dict[Form, QuantisedNetwork], form: Form) -> None:
    model = Graph(results[form].content).model
    layers = set(layers_of(content_of()))
    assert layers == {bar_network.CONVOLUTION, bar_network.GENDER, bar_network.AGE}
    dequantised = {node.output[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    for node in model.graph.node:
        assert dequantised.isdisjoint(node.input) or node.name in layers
        assert node.name not in layers or dequantised.issuperset(node.input[:2])


@every_form
def test_names_shapes_and_types_are_kept(results: dict[Form, QuantisedNetwork], form: Form) -> None:
    ours, theirs = Graph(results[form].content).model.graph, bar_network.network().graph
    assert list(ours.input) == list(theirs.input)
    assert list(ours.output) == list(theirs.output)
    assert {node.name for node in theirs.node} <= {node.name for node in ours.node}


@every_form
def test_every_channel_has_its_own_scale(results: dict[Form, QuantisedNetwork], form: Form) -> None:
    graph = Graph(results[form].content)
    weights = {name: graph.layer(name)[1] for name in layers_of(content_of())}
    scales = {name: graph.weights[node.input[1]].shape for name, node in weights.items() if node}
    assert scales == {bar_network.CONVOLUTION: (3,), bar_network.GENDER: (2,), bar_network.AGE: (8,)}


def test_the_cpus_activations_are_unsigned_and_its_weights_have_seven_bits(
    results: dict[Form, QuantisedNetwork],
) -> None:
    graph = Graph(results["cpu"].content)
    assert {zero.dtype for _, zero in graph.pairs("QuantizeLinear")} == {np.dtype(np.uint8)}
    weights = [array for array in graph.weights.values() if array.dtype == np.int8 and array.size > 8]
    assert len(weights) == 3
    assert [(array.min(), array.max()) for array in weights] == [(-64, 64), (0, 64), (0, 64)]
    biases = [graph.layer(name)[2] for name in layers_of(content_of())]
    assert [graph.weights[node.input[0]].dtype for node in biases if node] == [np.int32] * 3


def test_tensorrts_zero_point_is_0_and_its_biases_are_float(results: dict[Form, QuantisedNetwork]) -> None:
    graph = Graph(results["tensorrt"].content)
    pairs = graph.pairs("QuantizeLinear") + graph.pairs("DequantizeLinear")
    assert all(zero.dtype == np.int8 and not zero.any() for _, zero in pairs)
    weights = [array for array in graph.weights.values() if array.dtype == np.int8 and array.size > 8]
    assert max(array.max() for array in weights) == 127
    assert min(array.min() for array in weights) == -127
    for name in layers_of(content_of()):
        assert graph.layer(name)[2] is None
    biases = [array for name, array in graph.weights.items() if name.endswith("bias")]
    assert [array.dtype for array in biases] == [np.float32] * 3


@every_form
def test_the_same_faces_give_the_same_file(results: dict[Form, QuantisedNetwork], faces: Faces, form: Form) -> None:
    assert quantise_made_up(form, faces).content == results[form].content


@every_form
def test_the_file_contains_no_path(results: dict[Form, QuantisedNetwork], form: Form) -> None:
    for place in ("/tmp", "kiosk-eight-bits", str(Path.home()), str(Path.cwd())):
        assert place.encode() not in results[form].content


def test_unnamed_nodes_are_quantised(faces: Faces) -> None:
    model = bar_network.network()
    for node in model.graph.node:
        node.ClearField("name")
    content = model.SerializeToString()
    assert layers_of(content) == ("Conv.rows", "Gemm.gender.logits", "Gemm.age.logits")
    crops = centre_crops(faces.crops(faces.rows("train")))
    assert len(Graph(quantise_to_qdq(content, crops, "cpu", ["Conv.rows"])).pairs("QuantizeLinear")) == 1


# What it is made of


@every_form
def test_the_manifest_names_its_network_and_calibration(results: dict[Form, QuantisedNetwork], form: Form) -> None:
    result, network = results[form], manifest_of(content_of())
    manifest = Manifest.model_validate_json(result.manifest(network).model_dump_json())
    assert (manifest.format, manifest.precision) == ("onnx", "int8")
    assert manifest.network_sha256 == network.sha256
    assert manifest.accuracy == result.accuracy
    assert manifest.built_by["calibration"] == "Made-up, 96 faces"
    assert manifest.built_by["kept in float"] == "no layer"
    kept = ("gender_labels", "age_groups", "temperatures", "trained_on")
    assert [getattr(manifest, name) for name in kept] == [getattr(network, name) for name in kept]
    assert OnnxEngine(result.content, manifest).infer(np.zeros((2, 1, 75, 75), np.float32)).age.shape == (2, 8)


def test_ranges_are_calibrated_on_the_training_split_only(faces: Faces, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[NDArray[np.float32]] = []

    def record_crops(network: bytes, crops: NDArray[np.float32], *_: object) -> bytes:
        looked_at.append(crops)
        return quantise_to_qdq(network, crops, "cpu")

    monkeypatch.setattr("trainer.export.quantise.quantise_to_qdq", record_crops)
    monkeypatch.setattr("trainer.export.quantise.CALIBRATION_FACES", 40)
    result = quantise_made_up("cpu", faces)
    assert result.calibrated_on == "Made-up, 40 faces"
    (crops,) = looked_at
    known = {crop.tobytes() for crop in centre_crops(faces.crops(faces.rows("train")))}
    assert len({crop.tobytes() for crop in crops}) == 40
    assert {crop.tobytes() for crop in crops} <= known
    assert CALIBRATION_FACES > 96


def test_every_crop_is_used_and_reported(faces: Faces) -> None:
    crops = centre_crops(faces.crops(faces.rows("train")))[:70]
    seen: list[int] = []
    content = quantise_to_qdq(content_of(), crops, "cpu", on_crops=seen.append)
    assert seen == [32, 32, 6]
    crops[-1] *= 3  # the last one's range counts as well
    assert quantise_to_qdq(content_of(), crops, "cpu") != content


def test_the_quantisers_output_is_suppressed(
    faces: Faces, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    handlers, level = list(logging.root.handlers), logging.root.manager.disable
    quantise_made_up("cpu", faces)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert (logging.root.handlers, logging.root.manager.disable) == (handlers, level)


def test_progress_is_shown_only_on_terminals(faces: Faces, capfd: pytest.CaptureFixture[str]) -> None:
    quantise(content_of(), manifest_of(content_of()), faces, "cpu")
    assert capfd.readouterr() == ("", "")


def test_quantising_needs_no_torch(made_up_set: Path, tmp_path: Path) -> None:
    """A Jetson has no torch. The quantiser also leaves no log handler behind in a process without logging set up."""
    network = tmp_path / "network.onnx"
    network.write_bytes(content_of())
    script = f"""
import logging
import sys
sys.modules["torch"] = None
from pathlib import Path
from trainer.data.faces import Faces
from trainer.export.float16 import to_float16
from trainer.export.quantise import quantise
from tests.fakes.networks import manifest_of
content = Path({str(network)!r}).read_bytes()
to_float16(content)
print(quantise(content, manifest_of(content), Faces.load([Path({str(made_up_set)!r})]), "cpu").accuracy.age)
print(logging.root.handlers)
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1.0\n[]\n", "")


# What cannot be done


@pytest.mark.parametrize("split", ["train", "calibration", "test"])
def test_too_few_faces_are_an_error(tmp_path: Path, split: str) -> None:
    labels = made_up.labels_of(160)
    kept = [label for label in labels if label.split != split]
    few = [label for label in labels if label.split == split][: MIN_FACES - 1]
    with pytest.raises(QuantiseError, match=rf"has 29 faces in its {split} split, where 30 are needed: prepare more"):
        quantise_made_up("cpu", Faces.load([saved(tmp_path, [*kept, *few])]))


def test_faces_of_other_age_groups_are_an_error(tmp_path: Path) -> None:
    folder = saved(tmp_path, made_up.labels_of(160), ADIENCE)
    with pytest.raises(QuantiseError, match=r"age groups 0-2, 4-6, .* and the network has 0-2, 3-9, .*: prepare"):
        quantise_made_up("cpu", Faces.load([folder]))


def test_faces_without_labels_are_an_error(tmp_path: Path) -> None:
    labels = [replace(label, gender="") for label in made_up.labels_of(160)]
    with pytest.raises(AccuracyError, match="no face in the calibration split of Made-up has a known gender"):
        quantise_made_up("cpu", Faces.load([saved(tmp_path, labels)]))


def test_a_network_that_loses_accuracy_in_any_layer_is_refused(faces: Faces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.export.quantise.LOSS_ALLOWED", -0.01)
    with pytest.raises(QuantiseError, match=r"no layer of the network can .*: use --precision fp16 or fp32$"):
        quantise_made_up("cpu", faces)


def test_a_network_that_is_not_float32_is_refused(results: dict[Form, QuantisedNetwork], faces: Faces) -> None:
    reasons = {
        results["cpu"].content: "is already in int8",
        to_float16(content_of()): "is already in fp16",
        b"not a network": "is not a complete ONNX network",
    }
    for content, reason in reasons.items():
        with pytest.raises(NetworkError, match=reason):
            quantise(content, manifest_of(content), faces, "cpu")


def test_a_network_without_layers_is_refused() -> None:
    model = bar_network.network()
    for node in model.graph.node:
        if node.op_type in {"Conv", "Gemm"}:
            node.op_type = "Mystery"
            node.domain = "tests"
    model.opset_import.append(onnx.helper.make_opsetid("tests", 1))
    with pytest.raises(NetworkError, match="has no layer that can be quantised"):
        layers_of(model.SerializeToString())


def test_a_network_that_onnx_runtime_refuses_is_an_error(faces: Faces) -> None:
    model = bar_network.network()
    model.graph.node[0].op_type = "Mystery"
    model.graph.node[0].domain = "tests"
    model.opset_import.append(onnx.helper.make_opsetid("tests", 1))
    crops = centre_crops(faces.crops(faces.rows("train")))
    with pytest.raises(NetworkError, match="cannot quantise the network: ") as caught:
        quantise_to_qdq(model.SerializeToString(), crops, "cpu")
    assert "\n" not in str(caught.value)


# The files shipped


@pytest.fixture(scope="module", params=FORMS)
def shipped(request: pytest.FixtureRequest) -> tuple[Form, bytes, Manifest]:
    return request.param, *read_checked(default_path().with_name(f"facialnet-{request.param}-int8.onnx"))


def test_a_shipped_file_keeps_the_networks_accuracy(shipped: tuple[Form, bytes, Manifest]) -> None:
    _, content, manifest = shipped
    network_content, network = read_checked(default_path())
    assert manifest.network_sha256 == network.sha256
    assert manifest.precision == precision_of(content) == "int8"
    assert manifest.accuracy is not None
    assert manifest.accuracy.averaged is not None
    assert keeps_accuracy(manifest, network)
    crops = np.random.default_rng(0).random((8, 1, 75, 75), np.float32)
    after, before = OnnxEngine(content, manifest).infer(crops), OnnxEngine(network_content, network).infer(crops)
    assert max(np.abs(ours - theirs).mean() for ours, theirs in zip(after, before, strict=True)) < 0.05
    assert len(content) < 0.26 * len(network_content)


def test_a_shipped_file_has_its_form(shipped: tuple[Form, bytes, Manifest]) -> None:
    form, content, _ = shipped
    graph = Graph(content)
    largest = max(np.abs(array.astype(int)).max() for array in graph.weights.values() if array.dtype == np.int8)
    assert largest == {"cpu": 64, "tensorrt": 127}[form]
    zeros = [zero for _, zero in graph.pairs("QuantizeLinear")]
    assert {zero.dtype for zero in zeros} == {np.dtype({"cpu": np.uint8, "tensorrt": np.int8}[form])}
    assert len(zeros) == 13  # 14 layers, of which the heads' first share what they are given
