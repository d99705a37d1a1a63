"""What TensorRT measured while it built, kept for the next build: the kernels that it timed are not timed again.

A cache is good for one version of TensorRT on one GPU, and TensorRT for RTX has no use for any: it
chooses its kernels when an engine is loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from pathlib import Path
from typing import Any

import platformdirs

from kiosk.common.atomic_files import replace_file
from kiosk.inference.gpu import CudaDevice
from kiosk.inference.tensorrt.library import TensorRTLibrary

_CHECKSUM = hashlib.sha256().digest_size


def cache_file(library: TensorRTLibrary, gpu: CudaDevice) -> Path:
    """Where this machine keeps what that library measured on that GPU."""
    words = f"timing {library.flavour} {library.version} {gpu.name} {gpu.capability}"
    return platformdirs.user_cache_path("facialnet-kiosk") / (re.sub(r"[^\w.]+", "-", words) + ".cache")


def load(config: Any, file: Path) -> Any:
    """Gives a build what was measured before, as far as that is whole and fits: returns its cache, for `save`.

    TensorRT reads nothing but what was found to be as it was written.
    """
    for content in dict.fromkeys((_whole(file), b"")):
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, ignore_mismatch=False):
            return cache
    return None


def save(cache: Any, file: Path) -> None:
    """Keeps what was measured. A folder that cannot be written to costs the next build time, and this one nothing."""
    content = bytes(cache.serialize())
    with contextlib.suppress(OSError), replace_file(file) as path:
        path.write_bytes(hashlib.sha256(content).digest() + content)


def _whole(file: Path) -> bytes:
    """Empty if there is none or it is damaged."""
    try:
        stored = file.read_bytes()
    except OSError:
        return b""
    content = stored[_CHECKSUM:]
    return content if hashlib.sha256(content).digest() == stored[:_CHECKSUM] else b""
