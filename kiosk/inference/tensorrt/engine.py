"""TensorRT on an NVIDIA GPU through PyCUDA: one context, one stream, and all buffers allocated at the start.

The engine retains the GPU's primary context and makes it current only during a call, so it is not bound to the thread
that imported PyCUDA.
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
    """A network in TensorRT on the first GPU."""

    fault = None

    def __init__(self, content: bytes, manifest: Manifest, path: Path | None = None, *, graphs: bool = True) -> None:
        """`content` is the engine's file, already checked against its manifest; `path` is its place.

        TensorRT for RTX keeps its cache beside `path`. Without `graphs` the kernels are launched one by one. Raises
        `EngineError`, or `IncompatibleEngineError` if another engine may work here.
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
        # PyCUDA does not release a primary context itself, so an engine that was never closed must do it.
        self._finalizer = weakref.finalize(self, _free_quietly, self._cuda_context, self._session)

    def infer(self, crops: Crops) -> Probabilities:
        """Returns the probabilities of the crops, in runs of at most `max_batch` crops. Raises `EngineError`."""
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
        """Frees the engine's memory on the GPU and releases the context. Raises `EngineError`."""
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
    with suppress(cuda.Error, EngineError):  # no caller is left to report to
        _free(context, session)


@contextmanager
def _translate_errors(what: str) -> Iterator[None]:
    """Raises `EngineError`s in place of PyCUDA's errors."""
    try:
        yield
    except cuda.MemoryError as error:
        raise OutOfGpuMemoryError(
            f"the engine {what}, the GPU has no memory left: close what else uses it, or build for fewer faces at once"
        ) from error
    except cuda.Error as error:
        # Another engine may work where the GPU refuses this one.
        raise IncompatibleEngineError(f"the engine {what} on the GPU: {error}") from error
