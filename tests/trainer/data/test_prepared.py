"""A prepared folder comes back as it was saved, or is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kiosk.estimate import DECADES, AgeGroup
from tests.fakes import made_up
from trainer.data import prepared
from trainer.data.labels import FaceLabel, Years
from trainer.data.prepared import PreparedDataError

CROPS = np.arange(3 * 99 * 99, dtype=np.uint32).reshape(3, 99, 99).astype(np.uint8)
LABELS = (
    FaceLabel("train/1.jpg", "female", Years(20, 29), "White", "ann@N00", "3", "train"),
    FaceLabel('train/ü,"2".jpg', "male", Years(0, 0), split="test"),
    FaceLabel("train/3.jpg", race="East Asian"),
)
GROUPS = (*DECADES[:-1], AgeGroup("60+", 60, 79))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "prepared"
    prepared.save(
        path,
        dataset="Made-up",
        groups=GROUPS,
        crops=CROPS,
        labels=LABELS,
        summary={"dropped": {"no face found": 2}},
    )
    return path


def refusal(folder: Path) -> str:
    with pytest.raises(PreparedDataError) as caught:
        prepared.load(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "trainer prepare" in str(caught.value)
    return str(caught.value)


def test_what_is_saved_comes_back(folder: Path) -> None:
    data = prepared.load(folder)
    assert (data.dataset, data.groups) == ("Made-up", GROUPS)
    assert data.labels == LABELS
    np.testing.assert_array_equal(data.crops, CROPS)


def test_every_split_has_its_rows(folder: Path) -> None:
    data = prepared.load(folder)
    assert [data.rows(split).tolist() for split in ("train", "test", "calibration")] == [[0, 2], [1], []]


def test_the_summary_is_for_people(folder: Path) -> None:
    facts = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    assert facts["dropped"] == {"no face found": 2}


def test_crops_stay_on_the_disk(folder: Path) -> None:
    assert isinstance(prepared.load(folder).crops, np.memmap)


def test_a_later_set_replaces_an_earlier_one(folder: Path) -> None:
    made_up.save(folder, 16)
    assert len(prepared.load(folder).labels) == len(prepared.load(folder).crops) == 16


def test_half_a_replacement_is_not_taken_for_a_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(json, "dumps", interrupt)
    with pytest.raises(KeyboardInterrupt):
        made_up.save(folder, 3)
    assert "faces.csv is missing" in refusal(folder)


@pytest.mark.parametrize("name", ["chips.npy", "faces.csv", "prepared.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} is missing" in refusal(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "is not prepared data" in refusal(tmp_path / "nowhere")


def test_what_is_no_folder_is_not_to_be_prepared_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "is not a folder: make prepared data" in refusal(tmp_path / "file")


def test_a_field_that_is_too_long_is_named_by_its_line(folder: Path) -> None:
    _replaced("faces.csv", "train/3", "3" * 140_000)(folder)
    assert "faces.csv, after line 3: field larger than" in refusal(folder)


def test_as_many_age_groups_as_the_network_has_are_wanted(folder: Path) -> None:
    facts = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
    facts["age_groups"].pop()
    (folder / "prepared.json").write_text(json.dumps(facts), encoding="utf-8")
    assert "has 7 age groups, but the network has 8" in refusal(folder)


def _archive(folder: Path) -> None:
    with (folder / "chips.npy").open("wb") as file:
        np.savez(file, CROPS)


def _crops(crops: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Callable[[Path], object]:
    return lambda folder: np.save(folder / "chips.npy", crops, allow_pickle=True)


def _content(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def _replaced(name: str, old: str, new: str) -> Callable[[Path], object]:
    def replace(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return replace


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_content("chips.npy", b""), id="empty chips"),
        pytest.param(_content("chips.npy", b"not chips"), id="other chips"),
        pytest.param(
            lambda folder: _content("chips.npy", (folder / "chips.npy").read_bytes()[:5000])(folder), id="cut"
        ),
        pytest.param(_crops(CROPS[:2]), id="a chip too few"),
        pytest.param(_crops(CROPS[:, :75, :75]), id="chips without a margin"),
        pytest.param(_crops(CROPS.astype(np.float32)), id="chips of another type"),
        pytest.param(_crops(np.array([{}, None])), id="pickled chips"),
        pytest.param(_archive, id="an archive of chips"),
        pytest.param(_content("chips.npy", b"PK\x03\x04"), id="half an archive of chips"),
        pytest.param(_content("prepared.json", b"{"), id="broken summary"),
        pytest.param(_content("prepared.json", b"[]"), id="summary of another kind"),
        pytest.param(_content("prepared.json", b"\xff"), id="summary that is no text"),
        pytest.param(_replaced("prepared.json", '"label": "20-29"', '"name": "20-29"'), id="group without a label"),
        pytest.param(_replaced("prepared.json", '"low": 20', '"low": 90'), id="group that runs backwards"),
        pytest.param(_replaced("faces.csv", ",split", ",part"), id="no column split"),
        pytest.param(_replaced("faces.csv", ",train\n", ",learn\n"), id="unknown split"),
        pytest.param(_replaced("faces.csv", "20-29", "29-20"), id="age that runs backwards"),
        pytest.param(_replaced("faces.csv", "female", "woman"), id="unknown gender"),
        pytest.param(_content("faces.csv", b"file,gender,age,race,split\r\n"), id="no label"),
    ],
)
def test_damage_is_refused(folder: Path, damage: Callable[[Path], object]) -> None:
    damage(folder)
    refusal(folder)
