from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from kiosk.vision.capture.source import DEMO, open_source
from kiosk.vision.faces import nonface_filter
from kiosk.vision.faces.alignment import align
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.image import Gray, to_gray
from kiosk.vision.faces.nonface_filter import NonFaceFilter, features_of


@pytest.fixture(scope="module")
def crop(finder: FaceFinder, portrait: Gray) -> Gray:
    return align(portrait, finder.detect(portrait)[0])


def draw_face() -> Gray:
    """Returns a (75, 75) cartoon face: two eyes and a mouth."""
    picture = np.full((75, 75), 200, np.uint8)
    for x in (23, 51):
        cv2.circle(picture, (x, 27), 6, 255, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(picture, (x, 27), 3, 0, cv2.FILLED, cv2.LINE_AA)
    cv2.ellipse(picture, (37, 55), (14, 7), 0, 0, 180, 30, 2, cv2.LINE_AA)
    return picture


def test_faces_of_the_demo_clip_pass(finder: FaceFinder) -> None:
    odds = []
    for frame in open_source(DEMO).frames():
        assert frame is not None
        if frame.index % 25 == 0:
            gray = to_gray(frame.image)
            odds += [nonface_filter.load()(align(gray, face)) for face in finder.detect(gray)]
    assert len(odds) > 15
    assert min(odds) > 0


@pytest.mark.parametrize(
    "degrade",
    [
        lambda crop: (crop * 0.4).astype(np.uint8),
        lambda crop: cv2.GaussianBlur(crop, (0, 0), 2),
        lambda crop: np.clip(crop + np.random.default_rng(0).normal(0, 8, crop.shape), 0, 255).astype(np.uint8),
        lambda crop: np.ascontiguousarray(crop[:, ::-1]),
    ],
    ids=["dim", "blurred", "noised", "mirrored"],
)
def test_degraded_face_still_passes(crop: Gray, degrade: Callable[[Gray], Gray]) -> None:
    assert nonface_filter.load()(degrade(crop)) > 0


@pytest.mark.parametrize(
    "image",
    [
        np.full((75, 75), 128, np.uint8),
        np.tile(np.arange(75, dtype=np.uint8) * 3, (75, 1)),
        np.random.default_rng(0).integers(0, 256, (75, 75), dtype=np.uint8),
        (np.indices((75, 75)).sum(axis=0) // 9 % 2 * 200).astype(np.uint8),
        draw_face(),
    ],
    ids=["blank", "gradient", "noise", "stripes", "cartoon"],
)
def test_nonface_is_refused(image: Gray) -> None:
    assert nonface_filter.load()(image) < 0


def test_upside_down_face_is_refused(crop: Gray) -> None:
    assert nonface_filter.load()(np.ascontiguousarray(crop[::-1])) < 0


def test_features_are_finite_for_flat_crops() -> None:
    for level in (0, 255):
        assert np.isfinite(features_of(np.full((75, 75), level, np.uint8))).all()
    assert features_of(draw_face()).shape == (345,)


def test_edge_features_hardly_depend_on_contrast(crop: Gray) -> None:
    strong, weak = features_of(crop)[:324], features_of((crop // 2 + 60).astype(np.uint8))[:324]
    assert np.corrcoef(strong, weak)[0, 1] > 0.97


def test_pickled_file_is_refused() -> None:
    file = io.BytesIO()
    np.savez(file, mean=np.array([print], dtype=object))
    file.seek(0)
    with pytest.raises(ValueError, match="allow_pickle"):
        NonFaceFilter(file)


def test_quantiles_equal_those_of_numpy(crop: Gray) -> None:
    detail = np.abs(cv2.Laplacian(crop, cv2.CV_32F))
    expected = np.quantile(detail, nonface_filter._QUANTILES)
    np.testing.assert_allclose(nonface_filter._quantiles(detail), expected, rtol=1e-6)
