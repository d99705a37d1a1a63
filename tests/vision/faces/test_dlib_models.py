from __future__ import annotations

import importlib.util
from importlib import resources
from pathlib import Path

import dlib
import platformdirs
import pytest

from kiosk.vision.faces import dlib_models
from kiosk.vision.faces.image import Gray


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the detector's cache file in this test."""
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _: tmp_path / "cache")
    return dlib_models.detector_cache()


def forbid_unpacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlib, "get_frontal_face_detector", lambda: pytest.fail("it was unpacked again"))


def test_detector_is_unpacked_once_and_then_read_from_the_cache(
    cache: Path, portrait: Gray, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = dlib_models.frontal_detector()
    assert cache.is_file()
    forbid_unpacking(monkeypatch)
    read_back = dlib_models.frontal_detector()
    assert read_back.run(portrait, 0, 0.0) == unpacked.run(portrait, 0, 0.0)


def test_damaged_cache_file_is_replaced(cache: Path, portrait: Gray, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.parent.mkdir()
    cache.write_bytes(b"damaged")
    assert dlib_models.frontal_detector().run(portrait, 0, 0.0)[0]
    forbid_unpacking(monkeypatch)
    dlib_models.frontal_detector()


def test_detector_works_without_a_writable_cache(cache: Path, portrait: Gray) -> None:
    cache.parent.write_text("a file where the folder should be")
    assert dlib_models.frontal_detector().run(portrait, 0, 0.0)[0]


def test_landmark_model_of_a_release_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dlib").mkdir()
    carried = tmp_path / "dlib" / "shape_predictor_5_face_landmarks.dat"
    carried.write_bytes(b"")
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    assert dlib_models.landmark_file() == carried


def test_missing_landmark_model_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(dlib_models.LandmarkModelError, match="pip install face_recognition_models"):
        dlib_models.landmark_predictor()
