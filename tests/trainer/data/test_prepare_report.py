"""The report says what is in a prepared folder, also where little is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from kiosk.estimate import DECADES
from tests.fakes import made_up
from trainer.data import prepare_report, prepared
from trainer.data.labels import FaceLabel, Years

FACTS: dict[str, Any] = {
    "source": "Drawn by chance",
    "pictures": 50,
    "kept": 40,
    "dropped": {"no label": 3, "unreadable": 2, "no face found": 4, "exact duplicate": 0, "near duplicate": 1},
    "duplicates": {"exact": 0, "near": 1, "disagreeing": 1},
    "unreadable": ["a.jpg", "b.jpg"],
    "left_out": {"no label": ["c.jpg"]},
}


def saved(folder: Path, labels: list[FaceLabel], **facts: object) -> Path:
    crops = np.random.default_rng(0).integers(0, 256, (len(labels), 99, 99), np.uint8)
    prepared.save(folder, dataset="Made-up", groups=DECADES, crops=crops, labels=labels, summary={**FACTS, **facts})
    return folder


def text_of(folder: Path) -> str:
    prepare_report.write(folder)
    return (folder / "report.md").read_text(encoding="utf-8")


def test_what_was_dropped_is_told_and_why(tmp_path: Path) -> None:
    text = text_of(saved(tmp_path, made_up.labels_of(40)))
    assert text.startswith("# Made-up, prepared\n\nDrawn by chance.\n")
    for line in ("| listed | 50 |  |", "| dropped: unreadable | 2 | 4.0% |", "| **kept** | 40 | 80.0% |"):
        assert f"{line}\n" in text
    assert "exact duplicate" not in text
    assert "Of the duplicates, 1 had another gender or age" in text
    assert "## Unreadable\n\n- `a.jpg`\n- `b.jpg`\n" in text
    assert "## Left out: no label\n\n- `c.jpg`\n- and 2 more\n" in text


def test_faces_are_counted_by_gender_age_and_split(tmp_path: Path) -> None:
    labels = [
        FaceLabel("1.jpg", "female", Years(0, 2)),
        FaceLabel("2.jpg", "male", Years(8, 8), split="test"),
        FaceLabel("3.jpg", "", Years(61, 70)),
        FaceLabel("4.jpg", "female", Years(25, 32), split="calibration"),
    ]
    text = text_of(saved(tmp_path, labels))
    assert "| female | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 2 |\n" in text
    assert "| gender unknown | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 0 | 1 |\n" in text
    assert "| all | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 1 | 1 | 4 |\n" in text
    assert "| train | 2 | 1 | 2 |\n| calibration | 1 | 1 | 0 |\n| test | 1 | 1 | 1 |\n" in text


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(made_up.labels_of(200), id="all"),
        pytest.param(made_up.labels_of(1), id="one"),
        pytest.param([FaceLabel("1.jpg", "female")], id="no age"),
        pytest.param([FaceLabel("1.jpg", age=Years(3, 3))], id="no gender"),
        pytest.param([FaceLabel("1.jpg", "male", Years(3, 3), split="test")], id="nobody to train on"),
    ],
)
def test_pictures_are_drawn_of_whatever_there_is(tmp_path: Path, labels: list[FaceLabel]) -> None:
    prepare_report.write(saved(tmp_path, labels))
    for name in ("distribution.png", "samples.png"):
        image = cv2.imread(str(tmp_path / name))
        assert image is not None
        assert image.std() > 5


@pytest.mark.parametrize("name", ["my $faces_{ $1", "\u4eba\u8138"])
def test_a_name_is_drawn_to_the_letter(tmp_path: Path, name: str) -> None:
    folder = saved(tmp_path, made_up.labels_of(4), dataset=name)
    assert text_of(folder).startswith(f"# {name}, prepared")


def test_a_sample_is_shown_pixel_by_pixel(tmp_path: Path) -> None:
    folder = saved(tmp_path, made_up.labels_of(16))
    prepare_report.write(folder)
    sheet = cv2.imread(str(folder / "samples.png"), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    middle = np.asarray(prepared.load(folder).crops[0, 12:87, 12:87])
    assert cv2.matchTemplate(sheet, middle, cv2.TM_SQDIFF).min() < 75 * 75


def test_a_report_is_only_written_again_where_it_is_wanted(tmp_path: Path) -> None:
    folder = saved(tmp_path, made_up.labels_of(40))
    prepare_report.write(folder, rewrite=False)
    (folder / "report.md").write_text("mine", encoding="utf-8")
    prepare_report.write(folder, rewrite=False)
    assert (folder / "report.md").read_text(encoding="utf-8") == "mine"
    (folder / "samples.png").unlink()
    assert text_of(folder) != "mine"
    assert (folder / "samples.png").exists()
