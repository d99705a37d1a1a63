"""An engine is compared with its network in runs of several sizes, and one that strays is refused."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.inference import Chips, Probabilities
from kiosk.inference.manifest import Precision
from tests.fakes.vision import FakeEngine
from trainer.export.parity import TOLERANCES, ParityError, compare, verify
from trainer.export.sample_chips import CLIP_FACES, sample_chips

CHIPS = np.zeros((20, 1, 75, 75), np.float32)


class Straying(FakeEngine):
    """Differs in some chips' gender."""

    def __init__(self, by: float, chips: slice = slice(None)) -> None:
        super().__init__()
        self._by, self._chips, self._seen = by, chips, 0

    def infer(self, chips: Chips) -> Probabilities:
        answers = super().infer(chips)
        strays = np.zeros(1000, bool)
        strays[self._chips] = True
        mine = strays[self._seen : self._seen + len(chips)]
        self._seen += len(chips)
        answers.gender[mine] += np.array([-self._by, self._by], np.float32)
        return answers


def test_what_is_compared_is_every_probability() -> None:
    mean, largest = compare(Straying(0.01, slice(3, 4)), FakeEngine(), CHIPS)
    assert largest == pytest.approx(0.01, abs=1e-6)
    assert mean == pytest.approx(0.02 / (20 * 10), abs=1e-7)


def test_runs_have_several_sizes() -> None:
    engine = FakeEngine()
    compare(engine, FakeEngine(), CHIPS)
    assert engine.batches == [1, 3, 8, 1, 3, 4]


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_one_that_strays_too_far_is_refused(precision: Precision) -> None:
    allowed = TOLERANCES[precision]
    within = Straying(allowed.largest * 0.9, slice(7, 8))
    verified = verify(within, FakeEngine(), CHIPS, precision, "a GPU", "8.7")
    assert (verified.device, verified.capability, verified.chips) == ("a GPU", "8.7", 20)
    assert verified.largest_difference == pytest.approx(allowed.largest * 0.9, abs=1e-5)
    for straying in (Straying(allowed.largest * 1.1, slice(7, 8)), Straying(min(allowed.mean * 6, allowed.largest))):
        with pytest.raises(ParityError, match=f"are allowed for {precision}; try another"):
            verify(straying, FakeEngine(), CHIPS, precision, "a GPU", "8.7")


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ParityError, match="nan"):
        verify(Straying(float("nan"), slice(0, 1)), FakeEngine(), CHIPS, "int8", "a GPU", "8.7")


def test_the_sample_is_faces_and_noise_and_always_the_same() -> None:
    chips = sample_chips()
    assert chips.shape == (64, 1, 75, 75)
    assert chips.dtype == np.float32
    assert (chips >= 0).all()
    assert (chips <= 1).all()
    assert (chips == sample_chips()).all()
    faces, noise = chips[:CLIP_FACES], chips[CLIP_FACES:]
    neighbours = [np.abs(np.diff(part, axis=3)).mean() for part in (faces, noise)]
    assert neighbours[0] < 0.1 < neighbours[1]
    assert len(np.unique(faces.reshape(CLIP_FACES, -1), axis=0)) == CLIP_FACES
