"""What holds for every test: Qt without a screen, a home of its own, and a reason for each skipped GPU test."""

import os
import tempfile
import warnings
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

# pytest-qt imports Qt, and matplotlib looks for its settings, when they are first imported: all this comes before.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

_home = tempfile.TemporaryDirectory(prefix="kiosk-tests-", ignore_cleanup_errors=True)
for _kind in ("CONFIG", "DATA", "STATE", "CACHE"):
    os.environ[f"XDG_{_kind}_HOME"] = str(Path(_home.name, _kind.lower()))
os.environ.setdefault("XDG_RUNTIME_DIR", _home.name)  # Qt warns without one, and a warning fails a test


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of ten frames at 10 a second, each of its own gray."""
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    for level in range(10):
        writer.write(np.full((48, 64, 3), 20 * level, np.uint8))
    writer.release()
    return path


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, why_not in (("gpu", _why_no_gpu), ("tensorrt", _why_no_tensorrt)):
        if item.get_closest_marker(marker) and (reason := why_not()):
            pytest.skip(reason)


@cache
def _why_no_gpu() -> str | None:
    try:
        import pycuda.driver as cuda
    except ImportError as error:
        return f"no GPU: pycuda cannot be imported ({error})"
    try:
        cuda.init()
    except cuda.Error as error:
        return f"no GPU: {error}"
    return None if cuda.Device.count() else "no GPU: the driver lists none"


@cache
def _why_no_tensorrt() -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tensorrt  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        return f"no TensorRT: {error}"
    return None
