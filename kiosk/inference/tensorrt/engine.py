"""TensorRT on an NVIDIA GPU, through PyCUDA: one context, one stream, every buffer made at the start.

The GPU's primary context is retained when the engine is loaded, and is current only while the engine
works: so nothing is bound to the thread that happened to import PyCUDA.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pycuda.driver as cuda

from kiosk.inference.base import Crops, EngineError, IncompatibleEngineError, OutOfGpuMemoryError, Probabilities
from kiosk.inference.manifest import Manifest
from kiosk.inference.tensorrt.cuda import CudaContext
from kiosk.inference.tensorrt.library import check_compatibility
from kiosk.inference.tensorrt.session import Session


class TensorRTEngine:
    """FacialNet in TensorRT."""

    fault = None

    def __init__(self, content: bytes, manifest: Manifest, path: Path | None = None, *, graphs: bool = True) -> None:
        """`content` is the engine's file, already checked against its manifest; `path` is where it lies.

        Beside `path`, TensorRT for RTX keeps what it compiles while loading. Without `graphs` every
        kernel is launched by itself. Raises `EngineError`, and where another engine may do, the
        `IncompatibleEngineError` that says why this one does not.
        """
        assert manifest.tensorrt is not None
        library = check_compatibility(manifest.tensorrt)
        self.manifest = manifest
        self._max_batch = manifest.tensorrt.max_batch
        self._session: Session | None = None
        with _translate_errors("cannot be loaded"):
            cuda.init()
            device = cuda.Device(0)
            self.name = f"{library} ({manifest.precision}) on {device.name()}"
            self._cuda_context = CudaContext(device)
        try:
            with _translate_errors("cannot be loaded"), self._cuda_context.current():
                self._session = Session(content, manifest, library, path, graphs=graphs)
        except BaseException:
            self._cuda_context.release()
            raise
        # Also for an engine that nobody closes: PyCUDA does not let go of a primary context by itself.
        self._finalizer = weakref.finalize(self, _free_quietly, self._cuda_context, self._session)

    def infer(self, crops: Crops) -> Probabilities:
        """Crops → probabilities, in runs of at most as many crops as the engine was built for. Raises `EngineError`."""
        if self._session is None:
            raise EngineError("the engine was closed")
        answers = Probabilities(
            np.empty((len(crops), len(self.manifest.gender_labels)), np.float32),
            np.empty((len(crops), len(self.manifest.age_groups)), np.float32),
        )
        with _translate_errors("failed"), self._cuda_context.current():
            for start in range(0, len(crops), self._max_batch):
                part = slice(start, start + self._max_batch)
                answers.gender[part], answers.age[part] = self._session.run(crops[part])
        return answers.require_finite()

    def close(self) -> None:
        """Frees what the engine holds on the GPU, and lets go of the GPU. Raises `EngineError`."""
        if self._session is None:
            return
        session, self._session = self._session, None
        self._finalizer.detach()
        with _translate_errors("cannot be freed"):
            _free(self._cuda_context, session)


def _free(context: CudaContext, session: Session) -> None:
    try:
        with context.current():
            session.free()
    finally:
        context.release()


def _free_quietly(context: CudaContext, session: Session) -> None:
    with suppress(cuda.Error, EngineError):  # nobody is left to be told
        _free(context, session)


@contextmanager
def _translate_errors(what: str) -> Iterator[None]:
    """Puts PyCUDA's errors into the engine's words."""
    try:
        yield
    except cuda.MemoryError as error:
        raise OutOfGpuMemoryError(
            f"the engine {what}, the GPU has no memory left: close what else uses it, or build for fewer faces at once"
        ) from error
    except cuda.Error as error:
        # Whatever the GPU has against this engine, another one may do.
        raise IncompatibleEngineError(f"the engine {what} on the GPU: {error}") from error
