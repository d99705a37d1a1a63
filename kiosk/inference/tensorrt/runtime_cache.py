"""The runtime cache of TensorRT for RTX: kernels compiled while an engine is loaded, kept beside the engine.

The next start reads them. TensorRT checks whether they fit this GPU, and compiles them again if they do not.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import ModuleType
from typing import Any

from kiosk.common.atomic_files import replace_file
from kiosk.common.file_access import anyone_can_write


class RuntimeCache:
    """The runtime cache of one engine."""

    def __init__(self, config: Any, cache: Any, path: Path, kept: bytes) -> None:
        self.config = config
        """The configuration with which an execution context is created."""
        self._cache = cache  # the configuration does not keep it alive
        self._path = path
        self._kept = kept

    @classmethod
    def of(cls, engine: Any, trt: ModuleType, path: Path) -> RuntimeCache | None:
        """Returns the cache of the engine in `path`; None if these bindings have no runtime cache."""
        config = engine.create_runtime_config()
        if not hasattr(config, "create_runtime_cache"):
            return None
        config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        # Kernels for every number of faces are compiled while loading, not while a customer waits.
        config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
        cache = config.create_runtime_cache()
        file = path.with_name(path.name + ".cache")
        kept = _read_trusted(file)
        if kept:
            cache.deserialize(kept)  # returns False for kernels of another GPU, and the cache stays empty
        config.set_runtime_cache(cache)
        return cls(config, cache, file, kept)

    def save(self) -> None:
        """Writes newly compiled kernels to the file. A folder that cannot be written only costs time."""
        content = bytes(self._cache.serialize())
        if content != self._kept:
            with contextlib.suppress(OSError), replace_file(self._path) as temporary:
                temporary.write_bytes(content)
            self._kept = content


def _read_trusted(file: Path) -> bytes:
    """Returns the file's content; empty if it is missing, or if any user could have changed it. It holds programs."""
    try:
        writable = anyone_can_write(file.lstat()) or file.is_symlink()
        return b"" if writable else file.read_bytes()
    except OSError:
        return b""
