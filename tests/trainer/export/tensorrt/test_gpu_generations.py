"""For which GPUs TensorRT for RTX builds."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from trainer.export.tensorrt.builder import choose_generations, compute_capabilities
from trainer.export.tensorrt.errors import BuildError


class Config:
    """TensorRT's configuration, as far as it counts compute capabilities; it knows these."""

    def __init__(self, *known: int) -> None:
        self._known = known
        self.chosen: list[int | None] = []

    num_compute_capabilities = property(None, lambda self, count: self.chosen.extend([None] * count))

    def set_compute_capability(self, number: int, index: int) -> bool:
        if index >= len(self.chosen) or number not in self._known:
            return False
        self.chosen[index] = number
        return True


@pytest.fixture
def trt() -> Any:
    module = ModuleType("tensorrt_rtx")
    module.ComputeCapability = int  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(
    ("generations", "expected"),
    [
        ((), ("8.0", "8.6", "8.9", "12.0", "12.1")),
        (("turing",), ("7.5",)),
        (("blackwell", "ampere", "ampere"), ("8.0", "8.6", "12.0", "12.1")),
    ],
)
def test_generations_have_compute_capabilities(generations: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert compute_capabilities(generations) == expected


def test_an_unlisted_generation_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BuildError, match="not build for hopper, only for turing, ampere, ada, blackwell: use TensorRT"):
        compute_capabilities(["ada", "hopper"])


def test_each_is_set_once_there_is_room_for_all(trt: Any) -> None:
    config = Config(75, 80, 86, 89)
    choose_generations(config, trt, ["ada", "ampere"])
    assert config.chosen == [80, 86, 89]


def test_what_the_library_does_not_know_is_refused(trt: Any) -> None:
    with pytest.raises(BuildError, match=r"does not build for compute capability 12\.1"):
        choose_generations(Config(120), trt, ["blackwell"])


def test_bindings_that_cannot_choose_are_said_to() -> None:
    with pytest.raises(BuildError, match="module tensorrt cannot choose GPU generations: `pip install tensorrt_rtx`"):
        choose_generations(Config(), ModuleType("tensorrt"), ["ada"])
