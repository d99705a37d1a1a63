"""What TensorRT for RTX compiles while an engine is loaded, kept beside the engine for the next time.

The file holds kernels for this GPU. TensorRT checks that they fit and compiles anew where they do not.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import ModuleType
from typing import Any

from kiosk.common.atomic_files import replace_file
from kiosk.common.file_access import anyone_can_write


class RuntimeCache:
    """The cache of one engine."""

    def __init__(self, config: Any, cache: Any, path: Path, kept: bytes) -> None:
        self.config = config
        """What an execution context is made with."""
        self._cache = cache  # the configuration does not keep it alive
        self._path = path
        self._kept = kept

    @classmethod
    def of(cls, engine: Any, trt: ModuleType, path: Path) -> RuntimeCache | None:
        """The cache of the engine that lies in `path`; None where these bindings know none."""
        config = engine.create_runtime_config()
        if not hasattr(config, "create_runtime_cache"):
            return None
        config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        # Every number of faces is compiled for while the engine is loaded, and none while somebody waits.
        config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
        cache = config.create_runtime_cache()
        file = path.with_name(path.name + ".cache")
        kept = _read_guarded(file)
        if kept:
            cache.deserialize(kept)  # False for one that does not fit: then it is as empty as before
        config.set_runtime_cache(cache)
        return cls(config, cache, file, kept)

    def save(self) -> None:
        """Writes what was compiled; a folder that may not be written to is none of the engine's business."""
        content = bytes(self._cache.serialize())
        if content != self._kept:
            with contextlib.suppress(OSError), replace_file(self._path) as temporary:
                temporary.write_bytes(content)
            self._kept = content


def _read_guarded(file: Path) -> bytes:
    """Empty where there is none, or where everybody could have changed it: it holds programs."""
    try:
        writable = anyone_can_write(file.lstat()) or file.is_symlink()
        return b"" if writable else file.read_bytes()
    except OSError:
        return b""
