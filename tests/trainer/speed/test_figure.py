"""A speed measurement as a picture."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import pytest

from tests.fakes.timed import CPU_CEILINGS, GPU_CEILINGS, MACHINE, result, row
from trainer.speed.figure import apart, draw
from trainer.speed.result import Result

OWN = row("facialnet.onnx", (1.0, 2.0, 4.0, 7.0))
TORCH = row("torch eager", (2.4, 3.6, 5.5, 9.5), sha256=None)

PICTURES = {
    "one row, one batch, no ceiling": result(row("a", (1.0,)), batches=(1,)),
    "an engine that takes no large batch, one that does not run": result(
        OWN,
        row("small$_.onnx", (0.4, 0.7), "int8"),
        row("unfit.engine", (), "fp16", "gpu", fault="there is no driver"),
        TORCH,
        ceilings=CPU_CEILINGS,
    ),
    "more engines than colours, a processor and a GPU": result(
        OWN,
        *(row(f"{number}.engine", (0.2, 0.2, 0.2, 0.3), "fp16", "gpu") for number in range(9)),
        TORCH,
        row("torch eager", (1.1, 1.1, 1.1, 1.2), device="gpu", sha256=None),
        ceilings=(*CPU_CEILINGS, *GPU_CEILINGS),
        machine={**MACHINE, "gpu": "NVIDIA Orin"},
        others=1.6,
    ),
}


@pytest.mark.parametrize("measured", PICTURES.values(), ids=PICTURES.keys())
def test_a_picture_is_drawn_the_same_every_time(measured: Result, tmp_path: Path) -> None:
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    draw(measured, first)
    draw(measured, second)
    assert first.read_bytes() == second.read_bytes()
    picture = cv2.imread(str(first))
    assert picture is not None
    assert min(picture.shape[:2]) > 700
    assert picture.std() > 5
    assert {path.name for path in tmp_path.iterdir()} == {"first.png", "second.png"}


def test_numbers_that_would_overlap_are_moved_apart_around_their_middle() -> None:
    assert apart([], 0.1) == []
    assert apart([0.1, 0.5], 0.1) == pytest.approx([0.1, 0.5])
    assert apart([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])
    moved = apart([0.2, 0.50, 0.51, 0.62, 0.9], 0.1)
    assert moved == pytest.approx([0.2, 0.4433, 0.5433, 0.6433, 0.9], abs=1e-3)
    assert all(upper - lower > 0.0999 for lower, upper in pairwise(moved))
