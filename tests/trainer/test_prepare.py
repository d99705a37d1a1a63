"""Photographs become chips; what cannot is counted, and stops nothing."""

from __future__ import annotations

import json
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from kiosk.errors import KioskError
from kiosk.vision.faces import Face, Gray, align
from trainer import prepared
from trainer.fairface import GROUPS, LABEL_FILE, read_labels
from trainer.prepare import prepare_fairface
from trainer.prepared import MARGIN

PEOPLE = {
    "train/1.jpg": ("20-29", "Male"),
    "train/2.jpg": ("more than 70", "Female"),
    "train/3.jpg": ("0-2", "Female"),
    "train/4.jpg": ("3-9", "Male"),
}


class BrightFinder:
    """Sees a face in the middle of every bright picture."""

    def detect_in_still(self, gray: Gray) -> list[Face]:
        return [face_in(gray)] if gray.mean() > 100 else []


def face_in(gray: Gray) -> Face:
    points = np.array([[10.0, 0], [4, 0], [-10, 0], [-4, 0], [0, 9]])
    return Face(points + np.array(gray.shape) / 2, 1.0)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting processes takes seconds, and they would find no face in made-up pictures."""
    monkeypatch.setattr("trainer.prepare.multiprocessing.get_context", lambda _: SimpleNamespace(Pool=ThreadPool))
    monkeypatch.setattr("trainer.prepare.FaceFinder", BrightFinder)


def root_with(folder: Path, pictures: dict[str, int | None]) -> Path:
    """FairFace's layout, with pictures of these mean gray levels; None is one that cannot be read."""
    (folder / "train").mkdir(parents=True)
    rows = [f"{file},{age},{gender},White,True" for file, (age, gender) in PEOPLE.items()]
    (folder / LABEL_FILE).write_text("\n".join(["file,age,gender,race,service_test", *rows]))
    for file, level in pictures.items():
        if level is None:
            (folder / file).write_bytes(b"no picture")
        else:
            cv2.imwrite(str(folder / file), picture(level))
    return folder


def picture(level: int) -> Gray:
    return np.full((128, 128), level, np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The first picture has a face, the second has none, the third cannot be read, the fourth has a face."""
    return root_with(
        tmp_path / "root", {"train/1.jpg": 150, "train/2.jpg": 20, "train/3.jpg": None, "train/4.jpg": 200}
    )


def test_every_picture_is_accounted_for(root: Path, tmp_path: Path) -> None:
    report = prepare_fairface(root, tmp_path / "out", workers=1)
    assert (report.kept, report.no_face, report.unreadable) == (2, 1, ("train/3.jpg",))
    facts = json.loads((tmp_path / "out" / "prepared.json").read_text(encoding="utf-8"))
    assert facts["dropped"] == {"no face found": 1, "unreadable": 1}
    assert sum(facts["splits"].values()) == facts["kept"] == 2


def test_labels_stay_with_their_chips(root: Path, tmp_path: Path) -> None:
    prepare_fairface(root, tmp_path / "out", workers=2)
    data = prepared.load(tmp_path / "out")
    labels = read_labels(root)
    assert data.labels == (labels[0], labels[3])
    assert data.groups == GROUPS
    for chip, level in zip(data.chips, (150, 200), strict=True):
        np.testing.assert_allclose(chip, align(picture(level), face_in(picture(level)), MARGIN), atol=2)


def test_a_missing_picture_is_unreadable(root: Path, tmp_path: Path) -> None:
    (root / "train/4.jpg").unlink()
    assert prepare_fairface(root, tmp_path / "out", workers=1).unreadable == ("train/3.jpg", "train/4.jpg")


def test_pictures_without_any_face_are_refused(tmp_path: Path) -> None:
    root = root_with(tmp_path / "root", dict.fromkeys(PEOPLE, 20))
    with pytest.raises(KioskError, match="no face was found in any of the 4 pictures"):
        prepare_fairface(root, tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()
