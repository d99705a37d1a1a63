"""From a file to a running engine."""

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
    """Checks an engine's files without running it; by default those of the kiosk's own network.

    Raises `ManifestError`.
    """
    return read_checked(path or default_path())[1]


def load(path: Path | None = None, *, cpu_only: bool = False, before_gpu: Callable[[], None] = lambda: None) -> Engine:
    """Loads the engine in `path`, or the one that fits this machine best. Raises `ManifestError` and `EngineError`.

    Nothing of the file is parsed before its manifest was found to be valid and to be this file's. A
    whole engine that this machine cannot run is replaced by the same network on the CPU, as is one
    that fails later; the engine's `fault` then says so. With `cpu_only` no GPU is tried at all. `before_gpu`
    is called before a GPU's library is touched, which can end the process or never come back.
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
    """Loads the engine in `path` and no other, for whoever measures it. Raises `ManifestError` and `EngineError`."""
    content, manifest = read_checked(path)
    return _onnx(content, manifest) if manifest.format == "onnx" else load_compiled(content, manifest, path)


def load_compiled(content: bytes, manifest: Manifest, path: Path | None = None) -> Engine:
    """Loads a TensorRT engine from what was read and checked already, or was built just now. Raises `EngineError`."""
    assert manifest.tensorrt is not None
    check_compatibility(manifest.tensorrt)  # before PyCUDA is imported, which says less clearly what is missing
    try:
        from kiosk.inference.tensorrt.engine import TensorRTEngine
    except ImportError as error:
        raise MissingPackageError(
            f"PyCUDA cannot be imported ({error}): run `pip install --force-reinstall --no-deps --no-cache-dir pycuda`"
        ) from error
    return TensorRTEngine(content, manifest, path)


def _best(*, cpu_only: bool, before_gpu: Callable[[], None] = lambda: None) -> Engine:
    passed_over: list[str] = []
    for candidate in candidates(cpu_only=cpu_only):
        reason_rejected = candidate.reason_rejected
        if reason_rejected is None:
            if candidate.compiled:
                before_gpu()
            try:
                engine = load_exactly(candidate.path)
            except (EngineError, ManifestError) as error:  # somebody may have changed it just now
                if candidate.path == default_path():
                    raise
                reason_rejected = str(error)
            else:
                if candidate.compiled:
                    return FallbackEngine(engine, partial(_best, cpu_only=True))
                return FallbackEngine(engine, fault="; ".join(passed_over) or None)
        elif not candidate.compiled:
            continue  # one engine for the CPU is as good as the other
        passed_over.append(f"{candidate.path.name} does not run here: {reason_rejected}")
    raise AssertionError("the network itself always fits")


def _on_the_cpu(path: Path, compiled: Manifest) -> Engine:
    """The network that was compiled, on the CPU: the kiosk's own, or the one that lies beside the engine.

    Any other network does as well, if it knows the same age groups. Raises `EngineError`.
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
    from kiosk.inference.onnx_runtime import OnnxEngine  # ONNX Runtime is slow to import, and checking needs none of it

    return OnnxEngine(content, manifest)
