"""An engine is compared with its network in runs of several sizes, and one that strays is refused."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.inference import Crops, Probabilities
from kiosk.inference.manifest import Precision
from tests.fakes.vision import FakeEngine
from trainer.export.parity import TOLERANCES, ParityError, compare, verify
from trainer.export.sample_crops import CLIP_FACES, sample_crops

CROPS = np.zeros((20, 1, 75, 75), np.float32)


class Straying(FakeEngine):
    """Differs in some crops' gender."""

    def __init__(self, by: float, crops: slice = slice(None)) -> None:
        super().__init__()
        self._by, self._crops, self._seen = by, crops, 0

    def infer(self, crops: Crops) -> Probabilities:
        answers = super().infer(crops)
        strays = np.zeros(1000, bool)
        strays[self._crops] = True
        mine = strays[self._seen : self._seen + len(crops)]
        self._seen += len(crops)
        answers.gender[mine] += np.array([-self._by, self._by], np.float32)
        return answers


def test_what_is_compared_is_every_probability() -> None:
    mean, largest = compare(Straying(0.01, slice(3, 4)), FakeEngine(), CROPS)
    assert largest == pytest.approx(0.01, abs=1e-6)
    assert mean == pytest.approx(0.02 / (20 * 10), abs=1e-7)


def test_runs_have_several_sizes() -> None:
    engine = FakeEngine()
    compare(engine, FakeEngine(), CROPS)
    assert engine.batches == [1, 3, 8, 1, 3, 4]


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_one_that_strays_too_far_is_refused(precision: Precision) -> None:
    allowed = TOLERANCES[precision]
    within = Straying(allowed.largest * 0.9, slice(7, 8))
    verified = verify(within, FakeEngine(), CROPS, precision, "a GPU", "8.7")
    assert (verified.device, verified.capability, verified.chips) == ("a GPU", "8.7", 20)
    assert verified.largest_difference == pytest.approx(allowed.largest * 0.9, abs=1e-5)
    for straying in (Straying(allowed.largest * 1.1, slice(7, 8)), Straying(min(allowed.mean * 6, allowed.largest))):
        with pytest.raises(ParityError, match=f"are allowed for {precision}: try another"):
            verify(straying, FakeEngine(), CROPS, precision, "a GPU", "8.7")


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ParityError, match="nan"):
        verify(Straying(float("nan"), slice(0, 1)), FakeEngine(), CROPS, "int8", "a GPU", "8.7")


def test_the_sample_is_faces_and_noise_and_always_the_same() -> None:
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
