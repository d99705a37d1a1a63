from __future__ import annotations

import numpy as np
import pytest

from kiosk.cli.overlay import described, drawn
from kiosk.estimate import DECADES, Estimate, FaceObservation, Observation, Status

SAID = Estimate(("female", "male"), (0.97, 0.03), DECADES, (0, 0, 0, 0.8, 0.2, 0, 0, 0))


def face(status: Status, box: tuple[int, int, int, int] = (200, 100, 120, 120)) -> FaceObservation:
    return FaceObservation(1, box, 0.9, status, SAID)


def test_the_frame_itself_is_left_alone_and_its_copy_is_marked() -> None:
    image = np.full((360, 640, 3), 127, np.uint8)
    picture = drawn(image, Observation(0.0, 0, 1.0, (face("known"),)))
    assert (image == 127).all()
    changed = np.argwhere((picture != 127).any(axis=2))
    assert changed.min(axis=0)[0] <= 102  # the box's top
    assert changed.max(axis=0)[0] > 222  # the words below it


@pytest.mark.parametrize("box", [(-50, -50, 200, 200), (600, 300, 200, 200), (0, 0, 640, 360)])
def test_a_face_at_the_edge_is_drawn_as_far_as_it_goes(box: tuple[int, int, int, int]) -> None:
    picture = drawn(np.full((360, 640, 3), 127, np.uint8), Observation(0.0, 0, 1.0, (face("known", box),)))
    assert picture.shape == (360, 640, 3)
    assert (picture != 127).any()


def test_nobody_in_view_leaves_the_picture_as_it_is() -> None:
    image = np.full((36, 64, 3), 9, np.uint8)
    assert np.array_equal(drawn(image, Observation(0.0, 0, 1.0)), image)


def test_only_a_known_face_is_described() -> None:
    assert described(face("known")) == "female 97%  20-29  ~26"
    assert described(face("estimating")) == "estimating..."
    assert described(face("unknown")) == "unknown"


def test_the_labels_that_are_shown_are_described() -> None:
    shown = FaceObservation(1, (200, 100, 120, 120), 0.9, "known", SAID.showing("male", DECADES[4]))
    assert described(shown) == "male 3%  30-39  ~26"
