"""What TensorRT for RTX compiled at load is kept beside the engine, unless anybody could have changed it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk.inference.tensorrt.runtime_cache import RuntimeCache

TRT: Any = SimpleNamespace(
    CudaGraphStrategy=SimpleNamespace(WHOLE_GRAPH_CAPTURE="whole"),
    DynamicShapesKernelSpecializationStrategy=SimpleNamespace(EAGER="eager"),
)


class FakeCache:
    def __init__(self) -> None:
        self.content = b""

    def deserialize(self, blob: bytes) -> bool:
        self.content = blob
        return True

    def serialize(self) -> bytes:
        return self.content


class FakeConfig:
    def __init__(self) -> None:
        self.cache = FakeCache()
        self.used: FakeCache | None = None

    def create_runtime_cache(self) -> FakeCache:
        return self.cache

    def set_runtime_cache(self, cache: FakeCache) -> None:
        self.used = cache


class FakeEngine:
    def __init__(self, config: Any) -> None:
        self.config = config

    def create_runtime_config(self) -> Any:
        return self.config


def open_cache(path: Path) -> tuple[RuntimeCache, FakeConfig]:
    config = FakeConfig()
    cache = RuntimeCache.of(FakeEngine(config), TRT, path)
    assert cache is not None
    return cache, config


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "facialnet.engine"


def test_it_is_kept_for_the_next_time(path: Path) -> None:
    cache, config = open_cache(path)
    assert cache.config is config
    assert config.used is config.cache
    assert vars(config)["cuda_graph_strategy"] == "whole"
    config.cache.content = b"kernels"
    cache.save()
    assert path.with_name("facialnet.engine.cache").read_bytes() == b"kernels"
    _, config = open_cache(path)
    assert config.cache.content == b"kernels"


def test_nothing_new_is_not_written(path: Path) -> None:
    cache, config = open_cache(path)
    config.cache.content = b"kernels"
    cache.save()
    file = path.with_name("facialnet.engine.cache")
    before = file.stat().st_mtime_ns, file.stat().st_ino
    again, _ = open_cache(path)
    again.save()
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


def test_what_everybody_may_change_is_not_read(path: Path) -> None:
    file = path.with_name("facialnet.engine.cache")
    file.write_bytes(b"kernels")
    file.chmod(0o666)
    assert open_cache(path)[1].cache.content == b""


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"kernels")
    path.with_name("facialnet.engine.cache").symlink_to(tmp_path / "elsewhere")
    assert open_cache(path)[1].cache.content == b""


def test_a_folder_that_cannot_be_written_to_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache, config = open_cache(tmp_path / "file" / "facialnet.engine")
    config.cache.content = b"kernels"
    cache.save()


def test_bindings_that_know_no_cache_do_without(path: Path) -> None:
    assert RuntimeCache.of(FakeEngine(SimpleNamespace()), TRT, path) is None
