"""A file is parsed only after a valid manifest was found to be its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import onnxruntime
import pytest

from kiosk.estimate import DECADES, MeasuredAccuracy
from kiosk.inference import ManifestError, check, load
from kiosk.inference.manifest import manifest_path, read_checked, sha256_of, write
from tests.fakes.networks import manifest_of

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(autouse=True)
def nothing_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object, **__: object) -> NoReturn:
        pytest.fail("the file was parsed")

    monkeypatch.setattr(onnxruntime, "InferenceSession", parse)


def refusal(engine: Path) -> str:
    """The one line that says why an engine is refused, whether it is checked or loaded."""
    with pytest.raises(ManifestError) as checked:
        check(engine)
    with pytest.raises(ManifestError) as loaded:
        load(engine)
    assert str(checked.value) == str(loaded.value)
    assert "\n" not in str(loaded.value)
    assert str(engine) in str(loaded.value)
    return str(loaded.value)


def change_manifest(engine: Path, change: Change) -> None:
    """Does `change` to the manifest's JSON."""
    path = manifest_path(engine)
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def test_a_manifest_lies_beside_its_engine() -> None:
    assert manifest_path(Path("a/facialnet.onnx")) == Path("a/facialnet.onnx.json")


def test_a_manifest_comes_back(engine_path: Path, good_content: bytes) -> None:
    measured = MeasuredAccuracy(measured_on="nobody", faces=3, gender=1, age=0.6667, age_within_one=1)
    manifest = manifest_of(good_content).model_copy(update={"accuracy": measured})
    write(manifest, engine_path)
    assert check(engine_path) == manifest
    assert check(engine_path).groups == DECADES


def test_the_checked_bytes_are_the_ones_returned(engine_path: Path, good_content: bytes) -> None:
    content, manifest = read_checked(engine_path)
    assert content == good_content
    assert sha256_of(content) == manifest.sha256


@pytest.mark.proves("engine-exchanged")
def test_a_file_that_is_exchanged_once_it_was_checked_is_not_used(
    engine_path: Path, good_content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_content(content: bytes) -> str:
        engine_path.write_bytes(b"another program")
        return sha256_of(content)

    monkeypatch.setattr("kiosk.inference.manifest.sha256_of", check_content)
    assert read_checked(engine_path)[0] == good_content


def test_a_missing_engine_is_refused(engine_path: Path) -> None:
    engine_path.unlink()
    assert "No such file" in refusal(engine_path)


def test_a_folder_is_no_engine(tmp_path: Path) -> None:
    assert "Is a directory" in refusal(tmp_path)


def test_an_engine_without_a_manifest_is_refused(engine_path: Path) -> None:
    manifest_path(engine_path).unlink()
    assert "no readable manifest facialnet.onnx.json beside it" in refusal(engine_path)


@pytest.mark.parametrize("text", [b"", b"{", b"not JSON", b"[]", b"null", b"\xff\xfe", b'{"sha256": NaN}'])
def test_what_is_no_json_object_is_refused(engine_path: Path, text: bytes) -> None:
    manifest_path(engine_path).write_bytes(text)
    assert "is not a valid manifest" in refusal(engine_path)


@pytest.mark.parametrize(
    "field", ["format", "sha256", "input_shape", "gender_labels", "age_groups", "temperatures", "trained_on"]
)
def test_a_manifest_must_be_whole(engine_path: Path, field: str) -> None:
    change_manifest(engine_path, lambda data: data.pop(field))
    assert f"{field}: Field required" in refusal(engine_path)


def _entry(index: int, **years: object) -> Change:
    return lambda data: data["age_groups"][index].update(years)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda data: data.update(colour="gray"), "colour", id="unknown field"),
        pytest.param(_entry(0, mean=1), "age_groups.0.mean", id="unknown field of a group"),
        pytest.param(lambda data: data.update(manifest_version=2), "manifest_version", id="newer version"),
        pytest.param(lambda data: data.update(format="pickle"), "format", id="unknown format"),
        pytest.param(lambda data: data.update(format="tensorrt"), "tensorrt", id="compiled by nobody"),
        pytest.param(lambda data: data.update(precision="fp8"), "precision", id="unknown precision"),
        pytest.param(lambda data: data.update(sha256="00"), "sha256", id="no hash"),
        pytest.param(lambda data: data.update(sha256=data["sha256"].upper()), "sha256", id="hash in capitals"),
        pytest.param(lambda data: data.update(input_shape=[None, 1, 76, 75]), "input_shape", id="larger chips"),
        pytest.param(lambda data: data.update(input_shape=[None, 3, 75, 75]), "input_shape", id="colour chips"),
        pytest.param(lambda data: data.update(input_shape=[1, 1, 75, 75]), "input_shape", id="one chip at a time"),
        pytest.param(lambda data: data.update(input_shape=[75, 75]), "input_shape", id="two dimensions"),
        pytest.param(lambda data: data.update(gender_labels=["male", "female"]), "gender_labels", id="order"),
        pytest.param(lambda data: data.update(gender_labels=["woman", "man"]), "gender_labels", id="other words"),
        pytest.param(lambda data: data.update(age_groups=[]), "age_groups", id="no group"),
        pytest.param(lambda data: data.update(age_groups=data["age_groups"][:1]), "age_groups", id="one group"),
        pytest.param(lambda data: data["age_groups"].reverse(), "age_groups", id="oldest first"),
        pytest.param(_entry(2, label="9-19", low=9), "overlap", id="overlap"),
        pytest.param(_entry(2, low=19, high=10), "from 19 to 10", id="backwards"),
        pytest.param(_entry(0, low=-1), "from -1 to 2", id="before birth"),
        pytest.param(_entry(3, label="30-39"), "age_groups", id="label of another group"),
        pytest.param(_entry(3, label="twenties"), "'twenties'", id="label without years"),
        pytest.param(_entry(3, high="old"), "age_groups.3.high", id="year in words"),
        pytest.param(lambda data: data["temperatures"].update(age=0), "temperatures.age", id="temperature 0"),
        pytest.param(lambda data: data["temperatures"].update(age=float("nan")), "", id="temperature NaN"),
        pytest.param(lambda data: data.update(accuracy={"gender": 1}), "accuracy", id="half an accuracy"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(engine_path: Path, change: Change, said: str) -> None:
    change_manifest(engine_path, change)
    line = refusal(engine_path)
    assert "is not a valid manifest" in line
    assert said in line


def test_groups_with_gaps_are_fine(engine_path: Path) -> None:
    change_manifest(engine_path, lambda data: data["age_groups"].pop(3))
    assert len(check(engine_path).groups) == 7


def test_an_open_last_group_ends_where_the_manifest_says(engine_path: Path) -> None:
    change_manifest(engine_path, _entry(7, high=79))
    assert check(engine_path).groups[-1].high == 79


def test_another_files_hash_is_refused(engine_path: Path) -> None:
    change_manifest(engine_path, lambda data: data.update(sha256=sha256_of(b"another file")))
    assert "is not the file that facialnet.onnx.json describes" in refusal(engine_path)


@pytest.mark.parametrize("kept", [0, 1, -1])
def test_a_truncated_engine_is_refused(engine_path: Path, good_content: bytes, kept: int) -> None:
    engine_path.write_bytes(good_content[:kept])
    assert "is damaged or was replaced" in refusal(engine_path)


@pytest.mark.proves("engine-swapped")
@pytest.mark.parametrize("position", [0, 1000, -1])
def test_one_flipped_bit_is_refused(engine_path: Path, good_content: bytes, position: int) -> None:
    damaged = bytearray(good_content)
    damaged[position] ^= 1
    engine_path.write_bytes(damaged)
    assert "is damaged or was replaced" in refusal(engine_path)


def test_another_engines_manifest_is_refused(engine_path: Path) -> None:
    write(manifest_of(b"another engine"), engine_path)
    assert "is damaged or was replaced" in refusal(engine_path)


def test_a_manifest_cannot_be_changed(good_content: bytes) -> None:
    manifest: Any = manifest_of(good_content)
    with pytest.raises(ValueError, match="frozen"):
        manifest.sha256 = "0" * 64


def test_accuracy_reads_as_a_sentence() -> None:
    accuracy = MeasuredAccuracy(measured_on="made-up faces", faces=200, gender=0.945, age=0.5, age_within_one=0.9)
    assert str(accuracy) == "gender 94.5%, age group 50.0%, within one 90.0% on 200 faces of made-up faces"
