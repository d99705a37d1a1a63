"""Tests of the timing cache: timings are stored, and only undamaged ones are given to TensorRT."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from kiosk.inference.gpu import CudaDevice
from kiosk.inference.tensorrt.library import TensorRTLibrary
from trainer.export.tensorrt import timing_cache

ORIN = CudaDevice("Orin (nvgpu)", "8.7", "12.6")
LIBRARY = TensorRTLibrary(ModuleType("tensorrt"), "tensorrt", "10.3.0.26")


class Config:
    """TensorRT's builder config with a timing cache. It accepts empty caches and those that begin with `fits`."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.contents: list[bytes] = []
        self.used: bytes | None = None
        self._breaks = breaks

    def create_timing_cache(self, content: bytes) -> Cache | None:
        self.contents.append(content)
        return None if self._breaks and content else Cache(content)

    def set_timing_cache(self, cache: Cache, *, ignore_mismatch: bool) -> bool:
        fits = not cache.content or cache.content.startswith(b"fits")
        if fits and not ignore_mismatch:
            self.used = cache.content
        return self.used is not None


class Cache:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> memoryview:
        return memoryview(self.content)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "made" / "timing.cache"


def test_the_file_depends_on_version_and_gpu() -> None:
    path = timing_cache.cache_file(LIBRARY, ORIN)
    assert path.parent.name == "facialnet-kiosk"
    assert path.name == "timing-tensorrt-10.3.0.26-Orin-nvgpu-8.7.cache"


def test_the_first_build_starts_with_an_empty_cache(file: Path) -> None:
    config = Config()
    assert timing_cache.load(config, file) is not None
    assert config.contents == [b""]
    assert config.used == b""


def test_saved_timings_are_loaded_again(file: Path) -> None:
    timing_cache.save(Cache(b"fits, and is long"), file)
    config = Config()
    timing_cache.load(config, file)
    assert config.contents == [b"fits, and is long"]
    assert config.used == b"fits, and is long"


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-1], lambda whole: whole[:40], lambda _: b"", lambda _: b"x" * 99]
)
def test_a_damaged_file_is_not_given_to_tensorrt(file: Path, damage) -> None:  # type: ignore[no-untyped-def]
    timing_cache.save(Cache(b"fits, and is long"), file)
    file.write_bytes(damage(file.read_bytes()))
    config = Config()
    timing_cache.load(config, file)
    assert config.contents == [b""]


def test_a_cache_that_does_not_fit_is_replaced(file: Path) -> None:
    timing_cache.save(Cache(b"another GPU's"), file)
    config = Config()
    timing_cache.load(config, file)
    assert config.contents == [b"another GPU's", b""]
    assert config.used == b""


def test_a_cache_that_tensorrt_cannot_read_is_replaced(file: Path) -> None:
    timing_cache.save(Cache(b"fits"), file)
    config = Config(breaks=True)
    timing_cache.load(config, file)
    assert config.used == b""


def test_an_unwritable_folder_is_no_error(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_bytes(b"")
    timing_cache.save(Cache(b"fits"), tmp_path / "file" / "timing.cache")
