"""Tests of compiling with NVIDIA's real builders. A simulated GPU replaces the real one where TensorRT needs it."""

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
from trainer.export.tensorrt.builder import choose_generations, compile_engine, compute_capabilities
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
def rtx_library(library: TensorRTLibrary) -> TensorRTLibrary:
    """A library whose bindings can choose GPU generations."""
    if not hasattr(library.module, "ComputeCapability"):
        pytest.skip(f"the module {library.module.__name__} cannot choose GPU generations")
    return library


@pytest.fixture
def as_on_jetson(library: TensorRTLibrary, monkeypatch: pytest.MonkeyPatch) -> TensorRTLibrary:
    """The library, presented as TensorRT on a machine with a GPU."""
    if library.module.__name__ != "tensorrt":
        pytest.skip("these bindings take no timing cache")
    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    return dataclasses.replace(library, flavour="tensorrt")


def to_precision(network: bytes, precision: str) -> bytes:
    if precision == "fp16":
        return to_float16(network)
    if precision == "int8":
        crops = np.random.default_rng(0).random((32, 1, 75, 75), np.float32)
        return quantise_to_qdq(network, crops, "tensorrt")
    return network


def network_with_node(operator: str, name: str) -> bytes:
    model = linear_network()
    model.graph.node.insert(2, helper.make_node(operator, ["pixels"], ["unused"], name=name))
    return bytes(model.SerializeToString())


def network_with_external_weights(folder: Path) -> bytes:
    """Returns a network whose weights are in another file in `folder`."""
    path = folder / "network.onnx"
    onnx.save_model(linear_network(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path.read_bytes()


@pytest.mark.tensorrt
@pytest.mark.parametrize("precision", BYTES_A_WEIGHT)
def test_every_precision_is_compiled(library: TensorRTLibrary, facialnet: bytes, precision: str) -> None:
    """An engine's size shows the precision of its weights. TensorRT may store some weights twice."""
    content = compile_engine(to_precision(facialnet, precision), library, max_batch=8).content
    weights = WEIGHTS * BYTES_A_WEIGHT[precision]
    assert len(content) > weights
    if library.flavour == "tensorrt_rtx":
        assert len(content) < weights + 3e6


@pytest.mark.tensorrt
def test_the_build_is_described_for_the_manifest(library: TensorRTLibrary, linear: bytes) -> None:
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
def test_the_profile_allows_1_to_max_batch_crops_and_is_optimised_for_1(
    library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch, max_batch: int
) -> None:
    profile = library.module.IOptimizationProfile
    real, shapes = profile.set_shape, []
    monkeypatch.setattr(profile, "set_shape", lambda *args: (shapes.append(args[1:]), real(*args)))
    compile_engine(linear, library, max_batch=max_batch)
    assert shapes == [("chips", (1, 1, 75, 75), (1, 1, 75, 75), (max_batch, 1, 75, 75))]


@pytest.mark.tensorrt
@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda _: bytes(range(256)) * 20, lambda _: b"text\n" * 99, lambda whole: whole[:-10]],
    ids=["empty", "bytes", "text", "cut short"],
)
def test_content_that_is_not_onnx_is_refused(
    library: TensorRTLibrary, linear: bytes, damage: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(BuildError, match=NOT_ONNX):
        compile_engine(damage(linear), library, max_batch=8)


@pytest.mark.tensorrt
@pytest.mark.parametrize("operator", ["Det", "Unheard"])
def test_an_unsupported_operator_is_named(library: TensorRTLibrary, operator: str) -> None:
    words = f"refuses the ONNX file at its node a/node, operator {operator}: it is not supported"
    with pytest.raises(BuildError, match=words) as raised:
        compile_engine(network_with_node(operator, "a/node"), library, max_batch=8)
    assert str(raised.value).startswith(str(library))


@pytest.mark.tensorrt
def test_a_node_with_mismatched_shapes_is_named(library: TensorRTLibrary) -> None:
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
def test_external_weights_are_not_read(
    library: TensorRTLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where TensorRT would find them
    with pytest.raises(BuildError, match="has its weights in another file: export it as a single file"):
        compile_engine(network_with_external_weights(tmp_path), library, max_batch=8)


@pytest.mark.tensorrt
def test_the_workspace_is_passed_on(library: TensorRTLibrary, facialnet: bytes) -> None:
    if library.flavour == "tensorrt_rtx":
        with pytest.raises(BuildError, match="needs more memory to build: use a larger --workspace"):
            compile_engine(facialnet, library, max_batch=8, workspace=0)
    assert compile_engine(facialnet, library, max_batch=8, workspace=64).content


@pytest.mark.tensorrt
def test_turing_can_be_chosen(rtx_library: TensorRTLibrary, facialnet: bytes) -> None:
    build = compile_engine(to_float16(facialnet), rtx_library, max_batch=8, generations=["turing"]).build
    assert build.capabilities == ("7.5",)


@pytest.mark.tensorrt
def test_float32_for_turing_is_refused_with_a_remedy(rtx_library: TensorRTLibrary, facialnet: bytes) -> None:
    with pytest.raises(BuildError, match=r"for Turing, use --precision fp16: .* FP32 GEMM is not supported"):
        compile_engine(facialnet, rtx_library, max_batch=8, generations=["turing"])


@pytest.mark.tensorrt
def test_generations_can_be_chosen(rtx_library: TensorRTLibrary, linear: bytes) -> None:
    build = compile_engine(linear, rtx_library, max_batch=8, generations=["blackwell", "ada"]).build
    assert build.capabilities == ("8.9", "12.0", "12.1")


@pytest.mark.tensorrt
def test_an_unlisted_generation_is_refused(library: TensorRTLibrary, linear: bytes) -> None:
    rtx = dataclasses.replace(library, flavour="tensorrt_rtx")
    with pytest.raises(BuildError, match="does not build for hopper, only for turing, ampere, ada, blackwell"):
        compile_engine(linear, rtx, max_batch=8, generations=["hopper"])


@pytest.mark.tensorrt
def test_only_tensorrt_for_rtxs_own_module_can_choose_generations(library: TensorRTLibrary, linear: bytes) -> None:
    if hasattr(library.module, "ComputeCapability"):
        pytest.skip(f"the module {library.module.__name__} can")
    rtx = dataclasses.replace(library, flavour="tensorrt_rtx")
    with pytest.raises(BuildError, match="`pip install tensorrt_rtx`"):
        compile_engine(linear, rtx, max_batch=8, generations=["ada"])


@pytest.mark.tensorrt
def test_verbosity_selects_which_messages_are_shown(
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
def test_the_network_is_strongly_typed_and_tf32_is_off(
    library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default TensorRT 10 may choose another precision, and every version computes float32 in TF32."""
    trt = library.module
    real_create, real_build = trt.Builder.create_network, trt.Builder.build_serialized_network
    flags, rounded = [], []
    monkeypatch.setattr(trt.Builder, "create_network", lambda *args: (flags.append(args[1]), real_create(*args))[1])
    monkeypatch.setattr(
        trt.Builder,
        "build_serialized_network",
        lambda *args: (rounded.append(args[2].get_flag(trt.BuilderFlag.TF32)), real_build(*args))[1],
    )
    compile_engine(linear, library, max_batch=8)
    assert flags == [1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)]
    assert rounded == [False]


@pytest.mark.tensorrt
def test_progress_is_shown(
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
def test_all_tensorrt_objects_are_freed_after_a_build(
    library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A builder that the garbage collector frees hangs the process, and TensorRT's logger may trigger a collection."""
    real, builders = library.module.Builder, []

    def watched(logger: Any) -> Any:
        builder = real(logger)
        builders.append(weakref.ref(builder))
        return builder

    monkeypatch.setattr(library.module, "Builder", watched)
    compile_engine(linear, library, max_batch=8)
    errors = []
    for network in (
        b"",
        network_with_node("Det", "node"),
        linear_network({"faces": ("n", 1, 75, 75)}).SerializeToString(),
    ):
        with pytest.raises(BuildError) as raised:
            compile_engine(network, library, max_batch=8)
        errors.append(raised)
    assert [builder() for builder in builders] == [None] * 4


@pytest.mark.tensorrt
@pytest.mark.parametrize("before", [True, False])
def test_garbage_collection_is_paused_during_a_build(
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
def test_tensorrt_builds_for_the_installed_gpu(as_on_jetson: TensorRTLibrary, linear: bytes) -> None:
    build = compile_engine(linear, as_on_jetson, max_batch=8).build
    assert (build.flavour, build.cuda, build.gpu, build.capabilities) == ("tensorrt", "12.6", "Orin", ("8.7",))


@pytest.mark.tensorrt
def test_timings_are_stored_and_used_for_the_next_build(
    as_on_jetson: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = as_on_jetson.module.IBuilderConfig
    real, offered = config.create_timing_cache, []
    monkeypatch.setattr(config, "create_timing_cache", lambda *args: (offered.append(args[1]), real(*args))[1])
    file = timing_cache.cache_file(as_on_jetson, ORIN)
    assert file.is_relative_to(tmp_path)
    compile_engine(linear, as_on_jetson, max_batch=8)
    compile_engine(linear, as_on_jetson, max_batch=8)
    file.write_bytes(file.read_bytes()[:-1])
    compile_engine(linear, as_on_jetson, max_batch=8)
    first, again, damaged = offered
    assert (first, damaged) == (b"", b"")
    assert len(again) > 100


@pytest.mark.tensorrt
def test_tensorrt_for_rtx_uses_no_timing_cache(
    library: TensorRTLibrary, linear: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    compile_engine(linear, dataclasses.replace(library, flavour="tensorrt_rtx"), max_batch=8)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.gpu
@pytest.mark.tensorrt
def test_timings_are_used_again_on_a_gpu(
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


def test_tensorrt_needs_a_gpu(linear: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_device, "find", no_gpu)
    library = TensorRTLibrary(ModuleType("tensorrt"), "tensorrt", "10.3.0.26")
    with pytest.raises(BuildError, match="the engine, and this machine has no NVIDIA driver; TensorRT for RTX builds"):
        compile_engine(linear, library, max_batch=8)


def test_tensorrt_cannot_build_for_other_gpus(linear: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    library = TensorRTLibrary(ModuleType("tensorrt"), "tensorrt", "10.3.0.26")
    with pytest.raises(BuildError, match="TensorRT builds only for this machine's GPU"):
        compile_engine(linear, library, max_batch=8, generations=["ada"])


def test_a_memory_error_becomes_a_build_error(linear: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    monkeypatch.setattr(tensorrt_builder, "_build_plan", compiled)
    with pytest.raises(BuildError, match="ran out of memory: close other programs"):
        compile_engine(linear, TensorRTLibrary(ModuleType("tensorrt"), "tensorrt", "10.3.0.26"), max_batch=8)


class ModuleWithoutLibrary:
    """A module whose bindings report that their library does not start."""

    class ILogger:
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

    class Builder:
        def __init__(self, logger: Any) -> None:
            logger.log(1, "[defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)")
            raise TypeError("pybind11::init(): factory function returned nullptr")


def test_a_builder_that_does_not_start_is_an_error_with_the_reason(
    linear: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda_device, "find", lambda: ORIN)
    unwilling: Any = ModuleWithoutLibrary
    with pytest.raises(BuildError, match=r"TensorRT 10\.3\.0\.26 ran out of memory"):
        compile_engine(linear, TensorRTLibrary(unwilling, "tensorrt", "10.3.0.26"), max_batch=8)


# GPU generations


class Config:
    """TensorRT's builder config with compute capabilities. It accepts only the given ones."""

    def __init__(self, *known: int) -> None:
        self._known = known
        self.chosen: list[int | None] = []

    num_compute_capabilities = property(None, lambda self, count: self.chosen.extend([None] * count))

    def set_compute_capability(self, number: int, index: int) -> bool:
        if index >= len(self.chosen) or number not in self._known:
            return False
        self.chosen[index] = number
        return True


@pytest.fixture
def trt() -> Any:
    module = ModuleType("tensorrt_rtx")
    module.ComputeCapability = int  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(
    ("generations", "expected"),
    [
        ((), ("8.0", "8.6", "8.9", "12.0", "12.1")),
        (("turing",), ("7.5",)),
        (("blackwell", "ampere", "ampere"), ("8.0", "8.6", "12.0", "12.1")),
    ],
)
def test_generations_have_compute_capabilities(generations: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert compute_capabilities(generations) == expected


def test_an_unknown_generation_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(BuildError, match="not build for hopper, only for turing, ampere, ada, blackwell: use TensorRT"):
        compute_capabilities(["ada", "hopper"])


def test_all_compute_capabilities_are_set(trt: Any) -> None:
    config = Config(75, 80, 86, 89)
    choose_generations(config, trt, ["ada", "ampere"])
    assert config.chosen == [80, 86, 89]


def test_a_capability_that_the_library_refuses_is_an_error(trt: Any) -> None:
    with pytest.raises(BuildError, match=r"does not build for compute capability 12\.1"):
        choose_generations(Config(120), trt, ["blackwell"])


def test_bindings_without_compute_capabilities_are_an_error() -> None:
    with pytest.raises(BuildError, match="module tensorrt cannot choose GPU generations: `pip install tensorrt_rtx`"):
        choose_generations(Config(), ModuleType("tensorrt"), ["ada"])
