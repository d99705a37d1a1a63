"""The compile step, by NVIDIA's real builders; what needs a GPU is what they are told of one that is made up."""

from __future__ import annotations

import dataclasses
import gc
import os
import re
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from kiosk.inference import gpu as cuda_device
from kiosk.inference.base import DriverError
from kiosk.inference.gpu import CudaDevice
from kiosk.inference.loader import default_path
from kiosk.inference.manifest import TensorRTBuild, sha256_of
from kiosk.inference.tensorrt.library import TensorRTLibrary
from tests.fakes.networks import OUT, linear_network
from trainer.export.float16 import to_float16
from trainer.export.qdq import quantise_to_qdq
from trainer.export.tensorrt import builder as tensorrt_builder
from trainer.export.tensorrt import timing_cache
from trainer.export.tensorrt.builder import compile_engine
from trainer.export.tensorrt.errors import NOT_ONNX, BuildError

ORIN = CudaDevice("Orin", "8.7", "12.6")
RTX_DEFAULT = ("8.0", "8.6", "8.9", "12.0", "12.1")

BYTES_A_WEIGHT = {"fp32": 4, "fp16": 2, "int8": 1}
WEIGHTS = 4_159_242


@pytest.fixture(scope="module")
def facialnet() -> bytes:
    return default_path().read_bytes()


@pytest.fixture
def linear() -> bytes:
    return bytes(linear_network().SerializeToString())


@pytest.fixture
def choosing(library: TensorRTLibrary) -> TensorRTLibrary:
    """Bindings that can choose GPU generations."""
    if not hasattr(library.module, "ComputeCapability"):
        pytest.skip(f"the module {library.module.__name__} cannot choose GPU generations")
    return library


@pytest.fixture
def on_a_jetson(library: TensorRTLibrary, monkeypatch: pytest.MonkeyPatch) -> TensorRTLibrary:
    """TensorRT's bindings, taken for TensorRT itself on a machine that has a GPU."""
    if library.module.__name__ != "tensorrt":
        pytest.skip("these bindings take no timing cache")
    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    return dataclasses.replace(library, flavour="tensorrt")


def in_precision(network: bytes, precision: str) -> bytes:
    if precision == "fp16":
        return to_float16(network)
    if precision == "int8":
        crops = np.random.default_rng(0).random((32, 1, 75, 75), np.float32)
        return quantise_to_qdq(network, crops, "tensorrt")
    return network


def with_node(operator: str, name: str) -> bytes:
    model = linear_network()
    model.graph.node.insert(2, helper.make_node(operator, ["pixels"], ["unused"], name=name))
    return bytes(model.SerializeToString())


def with_weights_elsewhere(folder: Path) -> bytes:
    """A whole network, whose weights are in a file beside it."""
    path = folder / "network.onnx"
    onnx.save_model(linear_network(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path.read_bytes()


@pytest.mark.tensorrt
@pytest.mark.parametrize("precision", BYTES_A_WEIGHT)
def test_every_precision_is_compiled(library: TensorRTLibrary, facialnet: bytes, precision: str) -> None:
    """An engine holds its weights in the precision that the file says. TensorRT itself may hold some twice."""
    content = compile_engine(in_precision(facialnet, precision), library, max_batch=8).content
    weights = WEIGHTS * BYTES_A_WEIGHT[precision]
    assert len(content) > weights
    if library.flavour == "tensorrt_rtx":
        assert len(content) < weights + 3e6


@pytest.mark.tensorrt
def test_the_manifest_is_told_what_was_built(library: TensorRTLibrary, linear: bytes) -> None:
    gpu = cuda_device.find_or_none()
    compiled = compile_engine(linear, library, max_batch=3)
    if library.flavour == "tensorrt_rtx":
        assert re.fullmatch(r"1\.\d+\.\d+\.\d+", compiled.build.version)
        assert compiled.build == TensorRTBuild(
            flavour="tensorrt_rtx",
            version=library.version,
            cuda=gpu.cuda if gpu else None,
            gpu=gpu.name if gpu else None,
            capabilities=RTX_DEFAULT,
            max_batch=3,
            onnx_sha256=sha256_of(linear),
        )


@pytest.mark.tensorrt
@pytest.mark.parametrize("max_batch", [1, 8, 256])
def test_one_to_so_many_crops_fit_and_one_is_fastest(
    library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch, max_batch: int
) -> None:
    profile = library.module.IOptimizationProfile
    real, shapes = profile.set_shape, []
    monkeypatch.setattr(profile, "set_shape", lambda *told: (shapes.append(told[1:]), real(*told)))
    compile_engine(linear, library, max_batch=max_batch)
    assert shapes == [("chips", (1, 1, 75, 75), (1, 1, 75, 75), (max_batch, 1, 75, 75))]


@pytest.mark.tensorrt
@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda _: bytes(range(256)) * 20, lambda _: b"text\n" * 99, lambda whole: whole[:-10]],
    ids=["empty", "bytes", "text", "cut short"],
)
def test_what_is_no_onnx_file_is_refused(
    library: TensorRTLibrary, linear: bytes, damage: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(BuildError, match=NOT_ONNX):
        compile_engine(damage(linear), library, max_batch=8)


@pytest.mark.tensorrt
@pytest.mark.parametrize("operator", ["Det", "Unheard"])
def test_an_unsupported_operator_is_named(library: TensorRTLibrary, operator: str) -> None:
    words = f"refuses the ONNX file at its node a/node, operator {operator}: it is not supported"
    with pytest.raises(BuildError, match=words) as raised:
        compile_engine(with_node(operator, "a/node"), library, max_batch=8)
    assert str(raised.value).startswith(str(library))


@pytest.mark.tensorrt
def test_what_does_not_fit_together_is_named_too(library: TensorRTLibrary) -> None:
    with pytest.raises(BuildError) as raised:
        compile_engine(linear_network({"chips": ("n", 3, 75, 75)}).SerializeToString(), library, max_batch=8)
    assert "operator MatMul: node_of_gender.scores: last dimension of input0 = 16875 and" in str(raised.value)
    assert "driver" not in str(raised.value)


@pytest.mark.tensorrt
@pytest.mark.parametrize(
    ("network", "words"),
    [
        (linear_network({"chips": (2, 1, 75, 75)}), r"inputs are chips, float \(2, 1, 75, 75\): it must be chips"),
        (linear_network({"chips": ("n", 1, 70, 75)}), r"inputs are chips, float \(-1, 1, 70, 75\)"),
        (linear_network({"faces": ("n", 1, 75, 75)}), "inputs are faces"),
        (linear_network(input_type=TensorProto.FLOAT16), "inputs are chips, half"),
        (linear_network(outputs={"gender": ("n", 2)}), r"outputs are gender, float \(-1, 2\): they must be"),
        (linear_network(outputs={**OUT, "mood": ("n", 3)}), "and mood, float"),
        (linear_network(outputs={"gender": ("n", 3), "age": ("n", 8)}), r"outputs are gender, float \(-1, 3\)"),
        (linear_network(outputs={"gender": ("n", 2), "age": ()}), r"age, float \(\)"),
        (linear_network(outputs={"gender": ("n", 2), "age": ("n", 1)}), r"age, float \(-1, 1\)"),
    ],
)
def test_another_interface_is_refused(library: TensorRTLibrary, network: ModelProto, words: str) -> None:
    with pytest.raises(BuildError, match=words):
        compile_engine(network.SerializeToString(), library, max_batch=8)


@pytest.mark.tensorrt
def test_weights_in_another_file_are_not_looked_for(
    library: TensorRTLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where TensorRT would find them
    with pytest.raises(BuildError, match="has its weights in another file: export it as a single file"):
        compile_engine(with_weights_elsewhere(tmp_path), library, max_batch=8)


@pytest.mark.tensorrt
def test_the_workspace_is_passed_on(library: TensorRTLibrary, facialnet: bytes) -> None:
    if library.flavour == "tensorrt_rtx":
        with pytest.raises(BuildError, match="needs more memory to build: use a larger --workspace"):
            compile_engine(facialnet, library, max_batch=8, workspace=0)
    assert compile_engine(facialnet, library, max_batch=8, workspace=64).content


@pytest.mark.tensorrt
def test_turing_is_built_for_when_it_is_named(choosing: TensorRTLibrary, facialnet: bytes) -> None:
    build = compile_engine(to_float16(facialnet), choosing, max_batch=8, generations=["turing"]).build
    assert build.capabilities == ("7.5",)


@pytest.mark.tensorrt
def test_turing_has_no_matrices_in_float32_and_the_refusal_says_what_to_do(
    choosing: TensorRTLibrary, facialnet: bytes
) -> None:
    with pytest.raises(BuildError, match=r"for Turing, use --precision fp16: .* FP32 GEMM is not supported"):
        compile_engine(facialnet, choosing, max_batch=8, generations=["turing"])


@pytest.mark.tensorrt
def test_generations_can_be_chosen(choosing: TensorRTLibrary, linear: bytes) -> None:
    build = compile_engine(linear, choosing, max_batch=8, generations=["blackwell", "ada"]).build
    assert build.capabilities == ("8.9", "12.0", "12.1")


@pytest.mark.tensorrt
def test_an_unlisted_generation_is_refused(library: TensorRTLibrary, linear: bytes) -> None:
    rtx = dataclasses.replace(library, flavour="tensorrt_rtx")
    with pytest.raises(BuildError, match="does not build for hopper, only for turing, ampere, ada, blackwell"):
        compile_engine(linear, rtx, max_batch=8, generations=["hopper"])


@pytest.mark.tensorrt
def test_only_the_module_of_tensorrt_for_rtx_can_choose(library: TensorRTLibrary, linear: bytes) -> None:
    if hasattr(library.module, "ComputeCapability"):
        pytest.skip(f"the module {library.module.__name__} can")
    rtx = dataclasses.replace(library, flavour="tensorrt_rtx")
    with pytest.raises(BuildError, match="`pip install tensorrt_rtx`"):
        compile_engine(linear, rtx, max_batch=8, generations=["ada"])


@pytest.mark.tensorrt
def test_its_messages_are_shown_as_far_as_they_are_wanted(
    library: TensorRTLibrary, linear: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = []
    for verbosity in (0, 1, 2, 3):
        compile_engine(linear, library, max_batch=8, verbosity=verbosity)
        shown.append(capfd.readouterr().err.count("\n"))
    assert shown[0] == 0
    assert 0 < shown[1] < shown[2]
    assert shown[3] == pytest.approx(shown[2], rel=0.1)


@pytest.mark.tensorrt
def test_the_file_says_what_is_computed_in_which_precision(
    library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorRT 10 takes it for a wish unless it is told otherwise, and all take float32 for TF32."""
    trt = library.module
    real_create, real_build = trt.Builder.create_network, trt.Builder.build_serialized_network
    flags, rounded = [], []
    monkeypatch.setattr(trt.Builder, "create_network", lambda *told: (flags.append(told[1]), real_create(*told))[1])
    monkeypatch.setattr(
        trt.Builder,
        "build_serialized_network",
        lambda *told: (rounded.append(told[2].get_flag(trt.BuilderFlag.TF32)), real_build(*told))[1],
    )
    compile_engine(linear, library, max_batch=8)
    assert flags == [1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)]
    assert rounded == [False]


@pytest.mark.tensorrt
def test_its_progress_is_shown(
    library: TensorRTLibrary,
    linear: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("trainer.export.tensorrt.progress._BAR_DELAY", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    compile_engine(linear, library, max_batch=8, progress=False)
    assert capsys.readouterr().err == ""
    compile_engine(linear, library, max_batch=8, verbosity=1)
    assert "Building engine:   0%" not in capsys.readouterr().err
    compile_engine(linear, library, max_batch=8)
    assert "Building engine:   0%" in capsys.readouterr().err


@pytest.mark.tensorrt
def test_ctrl_c_stops_a_build(library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []

    class Interrupted(tensorrt_builder.Progress):
        def step(self, phase: str, done: int) -> None:
            steps.append((phase, done))
            if len(steps) == 5:
                os.kill(os.getpid(), signal.SIGINT)
                self._cancelled.wait(30)

    monkeypatch.setattr(tensorrt_builder, "Progress", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        compile_engine(linear, library, max_batch=8)
    assert len(steps) == 5
    monkeypatch.undo()
    assert compile_engine(linear, library, max_batch=8).content


@pytest.mark.tensorrt
def test_nothing_of_tensorrt_outlives_a_build(
    library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Freed by the garbage collector, which TensorRT's logger may set off, a builder hangs the process."""
    real, made = library.module.Builder, []

    def watched(logger: Any) -> Any:
        builder = real(logger)
        made.append(weakref.ref(builder))
        return builder

    monkeypatch.setattr(library.module, "Builder", watched)
    compile_engine(linear, library, max_batch=8)
    errors = []
    for network in (b"", with_node("Det", "node"), linear_network({"faces": ("n", 1, 75, 75)}).SerializeToString()):
        with pytest.raises(BuildError) as raised:
            compile_engine(network, library, max_batch=8)
        errors.append(raised)
    assert [builder() for builder in made] == [None] * 4


@pytest.mark.tensorrt
@pytest.mark.parametrize("before", [True, False])
def test_no_garbage_is_collected_meanwhile(
    library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    collecting = []

    class Watching(tensorrt_builder.Progress):
        def step(self, *_: object) -> None:
            collecting.append(gc.isenabled())

    monkeypatch.setattr(tensorrt_builder, "Progress", Watching)
    try:
        if not before:
            gc.disable()
        compile_engine(linear, library, max_batch=8)
        assert set(collecting) == {False}
        assert gc.isenabled() is before
    finally:
        gc.enable()


@pytest.mark.tensorrt
def test_building_needs_no_pycuda(library: TensorRTLibrary) -> None:
    program = (
        "import sys; sys.modules['pycuda'] = None\n"
        "from kiosk.inference.loader import default_path\n"
        "from kiosk.inference.tensorrt.library import libraries\n"
        "from trainer.export.tensorrt.builder import compile_engine\n"
        f"library = next(each for each in libraries() if each.module.__name__ == {library.module.__name__!r})\n"
        "compile_engine(default_path().read_bytes(), library, max_batch=1)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("False\n", "", 0)


@pytest.mark.tensorrt
def test_tensorrt_builds_for_the_gpu_that_is_there(on_a_jetson: TensorRTLibrary, linear: bytes) -> None:
    build = compile_engine(linear, on_a_jetson, max_batch=8).build
    assert (build.flavour, build.cuda, build.gpu, build.capabilities) == ("tensorrt", "12.6", "Orin", ("8.7",))


@pytest.mark.tensorrt
def test_what_was_timed_is_kept_and_offered_again(
    on_a_jetson: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = on_a_jetson.module.IBuilderConfig
    real, offered = config.create_timing_cache, []
    monkeypatch.setattr(config, "create_timing_cache", lambda *told: (offered.append(told[1]), real(*told))[1])
    file = timing_cache.cache_file(on_a_jetson, ORIN)
    assert file.is_relative_to(tmp_path)
    compile_engine(linear, on_a_jetson, max_batch=8)
    compile_engine(linear, on_a_jetson, max_batch=8)
    file.write_bytes(file.read_bytes()[:-1])
    compile_engine(linear, on_a_jetson, max_batch=8)
    first, again, damaged = offered
    assert (first, damaged) == (b"", b"")
    assert len(again) > 100


@pytest.mark.tensorrt
def test_tensorrt_for_rtx_times_nothing(
    library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    compile_engine(linear, dataclasses.replace(library, flavour="tensorrt_rtx"), max_batch=8)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.gpu
@pytest.mark.tensorrt
def test_what_was_timed_is_used_again_on_a_gpu(
    library: TensorRTLibrary, facialnet: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if library.flavour != "tensorrt":
        pytest.skip(f"{library} keeps no timings")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compile_engine(facialnet, library, max_batch=8)
    file = timing_cache.cache_file(library, cuda_device.find())
    kept = file.read_bytes()
    assert len(kept) > 1000
    compile_engine(facialnet, library, max_batch=8)
    assert file.read_bytes() == kept


def no_gpu() -> CudaDevice:
    raise DriverError("this machine has no NVIDIA driver")


def test_tensorrt_itself_needs_a_gpu(linear: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_device, "find", no_gpu)
    library = TensorRTLibrary(ModuleType("tensorrt"), "tensorrt", "10.3.0.26")
    with pytest.raises(BuildError, match="the engine, and this machine has no NVIDIA driver; TensorRT for RTX builds"):
        compile_engine(linear, library, max_batch=8)


def test_tensorrt_itself_builds_for_no_other_gpu(linear: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    library = TensorRTLibrary(ModuleType("tensorrt"), "tensorrt", "10.3.0.26")
    with pytest.raises(BuildError, match="TensorRT builds only for this machine's GPU"):
        compile_engine(linear, library, max_batch=8, generations=["ada"])


def test_a_machine_without_memory_is_said_to_be(linear: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    monkeypatch.setattr(tensorrt_builder, "_build_plan", compiled)
    with pytest.raises(BuildError, match="ran out of memory: close other programs"):
        compile_engine(linear, TensorRTLibrary(ModuleType("tensorrt"), "tensorrt", "10.3.0.26"), max_batch=8)


class Unwilling:
    """A module whose library does not start, which its bindings say so."""

    class ILogger:
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

    class Builder:
        def __init__(self, logger: Any) -> None:
            logger.log(1, "[defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)")
            raise TypeError("pybind11::init(): factory function returned nullptr")


def test_a_builder_that_does_not_start_says_why(linear: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    unwilling: Any = Unwilling
    with pytest.raises(BuildError, match=r"TensorRT 10\.3\.0\.26 ran out of memory"):
        compile_engine(linear, TensorRTLibrary(unwilling, "tensorrt", "10.3.0.26"), max_batch=8)
