"""Photographs become crops; what cannot is counted, and stops nothing; what stops the run loses nothing."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from kiosk.vision.faces.alignment import align
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray
from trainer.data import crop, partial_results, prepare_report, prepared
from trainer.data import prepare as prepare_module
from trainer.data.labels import DEFAULT_GROUPS, FaceLabel, Split, Years
from trainer.data.partial_results import Part, ResumeCache
from trainer.data.prepare import EXACT, NEAR, NO_FACE, UNREADABLE, PrepareError, Report, prepare
from trainer.data.prepared import MARGIN
from trainer.data.readers import DataSet

FILES = ["chips.npy", "distribution.png", "faces.csv", "prepared.json", "report.md", "samples.png"]


class BrightFinder:
    """Sees a face in the middle of every bright picture."""

    def detect_in_still(self, gray: Gray) -> list[Face]:
        return [face_in(gray)] if gray.mean() > 100 else []


def face_in(gray: Gray) -> Face:
    points = np.array([[20.0, 0], [8, 0], [-20, 0], [-8, 0], [0, 18]])
    return Face(points + np.array(gray.shape) / 2, 1.0)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting processes takes seconds, and they would find no face in made-up pictures."""

    def pool(workers: int, _: object, stop: object) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(workers, initializer=crop._start, initargs=(stop,))

    monkeypatch.setattr(crop, "_pool", pool)
    monkeypatch.setattr(crop, "FaceFinder", BrightFinder)
    monkeypatch.setattr(prepare_module, "_PART_SIZE", 2)


@pytest.fixture(autouse=True)
def _small_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they show is tested elsewhere, and takes a second to draw."""
    for name in ("_distribution", "_samples"):
        monkeypatch.setattr(prepare_report, name, lambda _: Figure(figsize=(1, 1)))


def picture(seed: int, *, bright: bool = True) -> Gray:
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(128, 128)), (0, 0), 5)
    return np.clip((160 if bright else 40) + 500 * noise, 0, 255).astype(np.uint8)


def jpeg(gray: Gray, quality: int = 95) -> bytes:
    return cv2.imencode(".jpg", gray, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


PICTURES = {
    "1.jpg": jpeg(picture(1)),
    "2.jpg": jpeg(picture(2, bright=False)),
    "3.jpg": b"no picture",
    "4.jpg": jpeg(picture(4)),
    "5.jpg": jpeg(picture(5))[:2000],  # cut short
    "6.jpg": jpeg(picture(1)),  # the first one again
    "7.jpg": jpeg(picture(4), quality=60),  # the fourth, saved again, with an older label
    "8.jpg": jpeg(picture(8)),
    "9.jpg": jpeg(picture(9)),
}
SPLITS: dict[str, Split] = {"6.jpg": "test", "9.jpg": "calibration"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    for name, content in PICTURES.items():
        (folder / name).write_bytes(content)
    return folder


def dataset_of(files: list[str]) -> DataSet:
    labels = tuple(
        FaceLabel(file, "female", Years(30, 39) if file == "7.jpg" else Years(20, 29), split=SPLITS.get(file, "train"))
        for file in files
    )
    return DataSet("Made-up", "drawn by chance", DEFAULT_GROUPS, labels, {"no label": ("x.jpg",)})


DATASET = dataset_of([*PICTURES, "missing.jpg"])


@pytest.fixture
def whole(root: Path, tmp_path: Path) -> Path:
    """What an uninterrupted run makes of it."""
    prepare(DATASET, root, tmp_path / "whole", workers=1)
    return tmp_path / "whole"


def refusal(root: Path, out: Path, dataset: DataSet = DATASET) -> str:
    with pytest.raises(PrepareError) as caught:
        prepare(dataset, root, out, workers=1)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_same(one: Path, other: Path) -> None:
    assert sorted(path.name for path in one.iterdir()) == FILES
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_every_picture_is_accounted_for(root: Path, tmp_path: Path) -> None:
    report = prepare(DATASET, root, tmp_path / "out", workers=2)
    assert report == Report(
        kept=4,
        dropped={"no label": 1, UNREADABLE: 3, NO_FACE: 1, EXACT: 1, NEAR: 1},
        unreadable=("3.jpg", "5.jpg", "missing.jpg"),
        disagreeing=1,
        splits={"train": 2, "calibration": 1, "test": 1},
        already_prepared=False,
    )
    facts = json.loads((tmp_path / "out/prepared.json").read_text(encoding="utf-8"))
    assert facts["pictures"] == 11 == facts["kept"] + sum(facts["dropped"].values())
    assert facts["duplicates"] == {"exact": 1, "near": 1, "disagreeing": 1}
    assert facts["left_out"] == {"no label": ["x.jpg"]}
    assert facts["source"] == "drawn by chance"


def test_a_report_is_a_few_lines() -> None:
    names = tuple(f"{number}.jpg" for number in range(100))
    report = Report(
        kept=1234,
        dropped={UNREADABLE: 1100, NO_FACE: 5, EXACT: 0},
        unreadable=names,
        disagreeing=0,
        splits={"train": 1234, "test": 0},
        already_prepared=True,
    )
    assert str(report).splitlines() == [
        "already prepared: 1,234 faces (1,234 train, 0 test)",
        "dropped: 1,100 unreadable, 5 no face found",
        f"unreadable: {', '.join(names[:10])} and 1,090 more",
    ]


def test_a_long_name_is_said_in_short() -> None:
    report = Report(1, {UNREADABLE: 1}, (f"{2500 * 'a'}{2500 * 'b'}.jpg",), 0, {"train": 1}, already_prepared=False)
    last = str(report).splitlines()[-1]
    assert last.startswith("unreadable: aaa")
    assert last.endswith("bbb.jpg")
    assert len(last) < 150


def test_labels_stay_with_their_crops(root: Path, whole: Path) -> None:
    data = prepared.load(whole)
    assert [label.file for label in data.labels] == ["4.jpg", "6.jpg", "8.jpg", "9.jpg"]
    assert set(data.labels) <= set(DATASET.labels)
    assert (data.dataset, data.groups) == ("Made-up", DEFAULT_GROUPS)
    for stored, label in zip(data.crops, data.labels, strict=True):
        gray = cv2.imread(str(root / label.file), cv2.IMREAD_GRAYSCALE)
        assert gray is not None
        np.testing.assert_array_equal(stored, align(np.asarray(gray, np.uint8), face_in(np.asarray(gray)), MARGIN))


def test_more_workers_make_no_difference(root: Path, whole: Path, tmp_path: Path) -> None:
    prepare(DATASET, root, tmp_path / "out", workers=3)
    assert_same(tmp_path / "out", whole)


def failing_after(parts: int, error: BaseException) -> Callable[[ResumeCache, int, Part], None]:
    """A stand-in for writing a part, which raises after some have been written."""
    write, left = ResumeCache.write, iter(range(parts))

    def fail(self: ResumeCache, number: int, part: Part) -> None:
        if next(left, None) is None:
            raise error
        write(self, number, part)

    return fail


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyboardInterrupt(), "stopped: run the same command again to continue"),
        (OSError(errno.ENOSPC, "No space left on device"), "is full: make room and run the same command again"),
        (OSError("9801 requested and 0 written"), "is full: make room and run the same command again"),
        (
            OSError(errno.EACCES, "Permission denied", "out/part"),
            "out/part cannot be read or written (Permission",
        ),
    ],
)
@pytest.mark.parametrize("parts", [0, 1, 4])
def test_an_interrupted_run_goes_on_to_the_same_end(
    root: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    said: str,
    parts: int,
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(ResumeCache, "write", failing_after(parts, error))
        assert said in refusal(root, out)
    assert [path.name for path in out.iterdir()] == [".parts"]
    cut = []
    monkeypatch.setattr(crop, "read_image", lambda path, read=crop.read_image: cut.append(path) or read(path))
    assert prepare(DATASET, root, out, workers=1).already_prepared is False
    assert len(cut) == len(DATASET.labels) - 2 * parts
    assert_same(out, whole)


@pytest.mark.parametrize("name", ["chips.npy", "prepared.json", "faces.csv", "samples.png", "report.md"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_an_interruption_at_the_end_loses_nothing_either(
    root: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException
) -> None:
    out = tmp_path / "out"

    def fail(path: Path) -> object:
        if path.name == name:
            raise error
        return replaced(path)

    replaced = prepared.replace_file
    with monkeypatch.context() as patch:
        patch.setattr(prepared, "replace_file", fail)
        patch.setattr(prepare_report, "replace_file", fail)
        refusal(root, out)
    assert not (out / name).exists()
    monkeypatch.setattr(crop, "read_image", lambda path: pytest.fail(f"{path} is cut again"))
    prepare(DATASET, root, out, workers=1)
    assert_same(out, whole)


def test_a_report_of_an_earlier_plan_does_not_stay(
    root: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = _change_a_picture(root)
    with monkeypatch.context() as patch:
        patch.setattr(prepare_report, "write", lambda *_, **__: pytest.fail("no report"))
        with pytest.raises(pytest.fail.Exception, match="no report"):
            prepare(changed, root, whole, workers=1)
    assert prepare(changed, root, whole, workers=1).already_prepared
    prepare(changed, root, tmp_path / "new", workers=1)
    assert_same(whole, tmp_path / "new")


def test_two_at_once_do_not_get_into_each_others_way(root: Path, tmp_path: Path, whole: Path) -> None:
    out = tmp_path / "out"
    with partial_results.lock_folder(out):
        assert refusal(root, out) == f"another `trainer prepare` is working on {out}: wait for it"
    prepare(DATASET, root, out, workers=1)
    assert_same(out, whole)


def test_another_data_set_is_not_overwritten(root: Path, whole: Path) -> None:
    before = {path: path.read_bytes() for path in whole.iterdir()}
    said = refusal(root, whole, replace(DATASET, name="Other"))
    assert said == f"{whole} holds Made-up already: choose another folder for Other"
    assert {path: path.read_bytes() for path in whole.iterdir()} == before


def test_a_finished_folder_is_left_alone(root: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.iterdir()}
    monkeypatch.setattr(crop, "read_image", lambda path: pytest.fail(f"{path} is cut again"))
    report = prepare(DATASET, root, whole, workers=1)
    assert report.already_prepared
    assert (report.kept, report.unreadable) == (4, ("3.jpg", "5.jpg", "missing.jpg"))
    assert {path: path.stat().st_mtime_ns for path in whole.iterdir()} == before


def test_a_folder_of_version_0_2_is_used_as_it_is(root: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = json.loads((whole / "prepared.json").read_text())
    del facts["crop_version"]
    facts["plan"] = "a fingerprint of the source text of version 0.2.0"
    (whole / "prepared.json").write_text(json.dumps(facts))
    with monkeypatch.context() as patch:
        patch.setattr(crop, "read_image", lambda path: pytest.fail(f"{path} is cut again"))
        assert prepare(DATASET, root, whole, workers=1).already_prepared
    monkeypatch.setattr(prepare_module, "CROP_VERSION", 2)
    assert not prepare(DATASET, root, whole, workers=1).already_prepared


def test_a_new_crop_version_cuts_again(root: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare_module, "CROP_VERSION", 2)
    assert not prepare(DATASET, root, whole, workers=1).already_prepared
    assert json.loads((whole / "prepared.json").read_text())["crop_version"] == 2


def _change_a_picture(root: Path) -> DataSet:
    (root / "3.jpg").write_bytes(jpeg(picture(3)))
    return DATASET


def _change_a_label(_: Path) -> DataSet:
    return dataset_of([*PICTURES])


@pytest.mark.parametrize("change", [_change_a_picture, _change_a_label])
@pytest.mark.parametrize("finished", [True, False])
def test_changed_data_is_prepared_anew(
    root: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], DataSet],
    finished: bool,
) -> None:
    out = whole if finished else tmp_path / "out"
    if not finished:
        with monkeypatch.context() as patch:
            patch.setattr(ResumeCache, "write", failing_after(3, KeyboardInterrupt()))
            refusal(root, out)
    changed = change(root)
    assert prepare(changed, root, out, workers=1).already_prepared is False
    prepare(changed, root, tmp_path / "new", workers=1)
    assert_same(out, tmp_path / "new")


def test_an_interrupted_replacement_leaves_what_was_there(
    root: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = (whole / "chips.npy").read_bytes()
    monkeypatch.setattr(ResumeCache, "write", failing_after(1, KeyboardInterrupt()))
    refusal(root, whole, _change_a_picture(root))
    assert (whole / "chips.npy").read_bytes() == crops
    assert len(prepared.load(whole).labels) == 4


def test_a_damaged_part_is_cut_again(root: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(ResumeCache, "write", failing_after(3, KeyboardInterrupt()))
        refusal(root, out)
    part = next((out / ".parts").glob("part-*"))
    part.write_bytes(part.read_bytes()[:100])
    prepare(DATASET, root, out, workers=1)
    assert_same(out, whole)


def test_pictures_without_any_face_are_refused(root: Path, tmp_path: Path) -> None:
    said = refusal(root, tmp_path / "out", dataset_of(["2.jpg", "3.jpg"]))
    assert "no face was found in any of the 2 pictures" in said
    assert not (tmp_path / "out").exists()


def test_a_root_without_the_pictures_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path / "elsewhere", tmp_path / "out")
    assert "none of the 10 pictures that the labels name can be read" in said
    assert "is ROOT the right folder" in said
    assert not (tmp_path / "out").exists()
