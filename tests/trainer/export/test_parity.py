"""Tests of the comparison with the network: calls have several sizes, and an engine over the tolerance is refused."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.inference import Crops, Probabilities
from kiosk.inference.manifest import Precision
from tests.fakes.vision import FakeEngine
from trainer.export.parity import TOLERANCES, ParityError, compare, verify
from trainer.export.sample_crops import CLIP_FACES, sample_crops

CROPS = np.zeros((20, 1, 75, 75), np.float32)


class DifferingEngine(FakeEngine):
    """An engine whose gender probabilities differ in some crops."""

    def __init__(self, by: float, crops: slice = slice(None)) -> None:
        super().__init__()
        self._by, self._crops, self._seen = by, crops, 0

    def infer(self, crops: Crops) -> Probabilities:
        answers = super().infer(crops)
        differs = np.zeros(1000, bool)
        differs[self._crops] = True
        own = differs[self._seen : self._seen + len(crops)]
        self._seen += len(crops)
        answers.gender[own] += np.array([-self._by, self._by], np.float32)
        return answers


def test_every_probability_is_compared() -> None:
    mean, largest = compare(DifferingEngine(0.01, slice(3, 4)), FakeEngine(), CROPS)
    assert largest == pytest.approx(0.01, abs=1e-6)
    assert mean == pytest.approx(0.02 / (20 * 10), abs=1e-7)


def test_calls_have_several_sizes() -> None:
    engine = FakeEngine()
    compare(engine, FakeEngine(), CROPS)
    assert engine.batches == [1, 3, 8, 1, 3, 4]


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_an_engine_over_the_tolerance_is_refused(precision: Precision) -> None:
    allowed = TOLERANCES[precision]
    within = DifferingEngine(allowed.largest * 0.9, slice(7, 8))
    verified = verify(within, FakeEngine(), CROPS, precision, "a GPU", "8.7")
    assert (verified.device, verified.capability, verified.chips) == ("a GPU", "8.7", 20)
    assert verified.largest_difference == pytest.approx(allowed.largest * 0.9, abs=1e-5)
    for engine in (
        DifferingEngine(allowed.largest * 1.1, slice(7, 8)),
        DifferingEngine(min(allowed.mean * 6, allowed.largest)),
    ):
        with pytest.raises(ParityError, match=f"are allowed for {precision}: try another"):
            verify(engine, FakeEngine(), CROPS, precision, "a GPU", "8.7")


def test_nan_is_refused() -> None:
    with pytest.raises(ParityError, match="nan"):
        verify(DifferingEngine(float("nan"), slice(0, 1)), FakeEngine(), CROPS, "int8", "a GPU", "8.7")


def test_the_sample_crops_are_faces_and_noise_and_always_the_same() -> None:
    crops = sample_crops()
    assert crops.shape == (64, 1, 75, 75)
    assert crops.dtype == np.float32
    assert (crops >= 0).all()
    assert (crops <= 1).all()
    assert (crops == sample_crops()).all()
    faces, noise = crops[:CLIP_FACES], crops[CLIP_FACES:]
    neighbours = [np.abs(np.diff(part, axis=3)).mean() for part in (faces, noise)]
    assert neighbours[0] < 0.1 < neighbours[1]
    assert len(np.unique(faces.reshape(CLIP_FACES, -1), axis=0)) == CLIP_FACES
