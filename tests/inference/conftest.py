"""A good engine on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.networks import linear_network, write_engine


@pytest.fixture(scope="session")
def good_content() -> bytes:
    return linear_network().SerializeToString()


@pytest.fixture
def engine_path(tmp_path: Path, good_content: bytes) -> Path:
    """An engine whose manifest is valid and its own."""
    return write_engine(tmp_path / "facialnet.onnx", good_content)
