"""Checks and loads engines, and replaces one that this machine cannot run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from kiosk.inference.base import Engine, EngineError, IncompatibleEngineError, MissingPackageError
from kiosk.inference.fallback import FallbackEngine, describe
from kiosk.inference.manifest import Manifest, ManifestError, read_checked
from kiosk.inference.selection import candidates, default_path
from kiosk.inference.tensorrt.library import check_compatibility


def check(path: Path | None = None) -> Manifest:
    """Returns an engine's manifest after checking both files; by default those of the kiosk's own network.

    The engine is not run. Raises `ManifestError`.
    """
    return read_checked(path or default_path())[1]


def load(path: Path | None = None, *, cpu_only: bool = False, before_gpu: Callable[[], None] = lambda: None) -> Engine:
    """Loads the engine in `path`, or the best one for this machine. Raises `ManifestError` and `EngineError`.

    The file is parsed only after its manifest was found valid and its checksum was found right. If this machine
    cannot run the engine, or the engine fails later, the same network runs on the CPU, and `fault` gives the reason.
    With `cpu_only` no GPU is tried. `before_gpu` is called before a GPU library is loaded, because such a library
    can end the process or hang.
    """
    if path is None:
        return _best(cpu_only=cpu_only, before_gpu=before_gpu)
    content, manifest = read_checked(path)
    if manifest.format == "onnx":
        return _onnx(content, manifest)
    reserve = partial(_on_the_cpu, path, manifest)
    if cpu_only:
        return reserve()
    before_gpu()
    try:
        return FallbackEngine(load_compiled(content, manifest, path), reserve)
    except IncompatibleEngineError as error:
        engine = reserve()
        instead = describe(engine, manifest)
        return FallbackEngine(engine, fault=f"{path.name} does not run here, {instead} does: {error}")


def load_exactly(path: Path) -> Engine:
    """Loads the engine in `path` without any replacement. Raises `ManifestError` and `EngineError`."""
    content, manifest = read_checked(path)
    return _onnx(content, manifest) if manifest.format == "onnx" else load_compiled(content, manifest, path)


def load_compiled(content: bytes, manifest: Manifest, path: Path | None = None) -> Engine:
    """Loads a TensorRT engine from content that is already checked or newly built. Raises `EngineError`."""
    assert manifest.tensorrt is not None
    check_compatibility(manifest.tensorrt)  # before PyCUDA is imported, whose own errors are less clear
    try:
        from kiosk.inference.tensorrt.engine import TensorRTEngine
    except ImportError as error:
        raise MissingPackageError(
            f"PyCUDA cannot be imported ({error}): run `pip install --force-reinstall --no-deps --no-cache-dir pycuda`"
        ) from error
    return TensorRTEngine(content, manifest, path)


def _best(*, cpu_only: bool, before_gpu: Callable[[], None] = lambda: None) -> Engine:
    rejected: list[str] = []
    for candidate in candidates(cpu_only=cpu_only):
        reason_rejected = candidate.reason_rejected
        if reason_rejected is None:
            if candidate.compiled:
                before_gpu()
            try:
                engine = load_exactly(candidate.path)
            except (EngineError, ManifestError) as error:  # the file may have changed since it was checked
                if candidate.path == default_path():
                    raise
                reason_rejected = str(error)
            else:
                if candidate.compiled:
                    return FallbackEngine(engine, partial(_best, cpu_only=True))
                return FallbackEngine(engine, fault="; ".join(rejected) or None)
        elif not candidate.compiled:
            continue  # the operator need not know: another engine for the CPU does as well
        rejected.append(f"{candidate.path.name} does not run here: {reason_rejected}")
    raise AssertionError("the float32 network is always compatible")


def _on_the_cpu(path: Path, compiled: Manifest) -> Engine:
    """Loads the network of a compiled engine for the CPU: the kiosk's own, or an ONNX file beside the engine.

    If neither is that network, the kiosk's own is used if it has the same age groups. Raises `EngineError`.
    """
    own = check()
    if compiled.network != own.network:
        for onnx in sorted(path.parent.glob("*.onnx")):
            try:
                content, manifest = read_checked(onnx)
            except ManifestError:
                continue
            if manifest.sha256 == compiled.network:
                return _onnx(content, manifest)
        if compiled.groups != own.groups:
            raise EngineError(
                f"{path.name} does not run, and its network is not here for the CPU: "
                f"put the ONNX file that it was built from, with its manifest, into {path.parent}"
            )
    return _best(cpu_only=True)


def _onnx(content: bytes, manifest: Manifest) -> Engine:
    from kiosk.inference.onnx_runtime import OnnxEngine  # slow to import, and a check does not need it

    return OnnxEngine(content, manifest)
