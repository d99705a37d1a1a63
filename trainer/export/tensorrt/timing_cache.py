"""Keeps TensorRT's timings of kernels for the next build, which is faster with them.

A cache is valid for one version of TensorRT on one GPU. TensorRT for RTX uses none, because it chooses its kernels when
an engine is loaded.
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
    """Returns the path of the timings of one library on one GPU, in the user's cache folder."""
    words = f"timing {library.flavour} {library.version} {gpu.name} {gpu.capability}"
    return platformdirs.user_cache_path("facialnet-kiosk") / (re.sub(r"[^\w.]+", "-", words) + ".cache")


def load(config: Any, file: Path) -> Any:
    """Gives a build the stored timings if they are undamaged and fit, and returns its cache for `save`.

    `config` is TensorRT's builder config. TensorRT reads a file only after its checksum was verified. Returns None if
    TensorRT accepts no cache.
    """
    for content in dict.fromkeys((_read_verified(file), b"")):
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, ignore_mismatch=False):
            return cache
    return None


def save(cache: Any, file: Path) -> None:
    """Writes a build's timings to a file. An unwritable folder is no error: the next build only takes longer."""
    content = bytes(cache.serialize())
    with contextlib.suppress(OSError), replace_file(file) as path:
        path.write_bytes(hashlib.sha256(content).digest() + content)


def _read_verified(file: Path) -> bytes:
    """Returns the stored timings; empty if the file is missing or damaged."""
    try:
        stored = file.read_bytes()
    except OSError:
        return b""
    content = stored[_CHECKSUM:]
    return content if hashlib.sha256(content).digest() == stored[:_CHECKSUM] else b""
