"""The settings file: what may stand in it, and that whatever may not is explained in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kiosk.config import CameraConfig, Config, ConfigError, VisionConfig, WindowConfig, load

EVERYTHING = """
[camera]
source = "/dev/video2"
width = 1280
height = 720
rate = 15

[vision]
engine = "/opt/kiosk/facialnet.onnx"
smallest_face = 0.1

[window]
fullscreen = true
mirror = false
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kiosk.toml"


def refusal(path: Path, content: str | bytes) -> str:
    """The one line that says why `content` is refused; it starts with the file's name."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as caught:
        load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"settings {path}")
    return line.removeprefix(f"settings {path}").removeprefix(": ")


def test_an_empty_file_says_the_defaults(path: Path) -> None:
    path.write_text("")
    assert load(path) == Config()
    assert Config() == Config(
        camera=CameraConfig(source="auto", width=640, height=480, rate=30.0),
        vision=VisionConfig(engine="auto", smallest_face=0.2),
        window=WindowConfig(fullscreen=False, mirror=True),
    )


def test_every_key_is_read(path: Path) -> None:
    path.write_text(EVERYTHING)
    config = load(path)
    assert config == Config(
        camera=CameraConfig(source="/dev/video2", width=1280, height=720, rate=15.0),
        vision=VisionConfig(engine="/opt/kiosk/facialnet.onnx", smallest_face=0.1),
        window=WindowConfig(fullscreen=True, mirror=False),
    )
    default = Config()
    for section in Config.model_fields:
        for key, value in getattr(config, section):
            assert value != getattr(getattr(default, section), key), f"this test says nothing of {section}.{key}"


def test_one_key_leaves_the_others(path: Path) -> None:
    path.write_text("[camera]\nwidth = 800\n")
    assert load(path) == Config(camera=CameraConfig(width=800))


def test_text_beyond_ascii_is_read(path: Path) -> None:
    path.write_text('[camera]\nsource = "/videos/Größe.mp4"\n', encoding="utf-8")
    assert load(path).camera.source == "/videos/Größe.mp4"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().camera.width = 800  # type: ignore[misc]


@pytest.mark.parametrize("section", Config.model_fields)
def test_every_key_has_a_meaning(section: str) -> None:
    annotation: Any = Config.model_fields[section].annotation
    assert all(field.description for field in annotation.model_fields.values())


def test_an_unknown_key_is_named_beside_the_ones_there_are(path: Path) -> None:
    assert refusal(path, "[camera]\nwidht = 800\n") == (
        "unknown key camera.widht; there is source, width, height, rate"
    )


def test_an_unknown_section_is_named_beside_the_ones_there_are(path: Path) -> None:
    assert refusal(path, "[screen]\nmirror = true\n") == "unknown key screen; there is camera, vision, window"


def test_a_key_outside_its_section_is_named(path: Path) -> None:
    assert refusal(path, "mirror = true\n").startswith("unknown key mirror;")


@pytest.mark.parametrize(
    ("section", "key", "value", "wanted"),
    [
        ("camera", "source", "0", "string"),
        ("camera", "width", '"640"', "integer"),
        ("camera", "width", "640.0", "integer"),
        ("camera", "height", "true", "integer"),
        ("camera", "rate", '"fast"', "number"),
        ("vision", "engine", "['a', 'b']", "string"),
        ("vision", "smallest_face", "true", "number"),
        ("window", "fullscreen", "1", "boolean"),
        ("window", "mirror", '"no"', "boolean"),
    ],
)
def test_a_wrong_type_is_explained(path: Path, section: str, key: str, value: str, wanted: str) -> None:
    line = refusal(path, f"[{section}]\n{key} = {value}\n")
    assert line.startswith(f"{section}.{key} = ")
    assert wanted in line
    assert meaning_of(section, key) in line


@pytest.mark.parametrize(
    ("section", "key", "value", "bound"),
    [
        ("camera", "width", "159", "160"),
        ("camera", "width", "7681", "7680"),
        ("camera", "height", "0", "120"),
        ("camera", "height", "4321", "4320"),
        ("camera", "rate", "0.5", "1"),
        ("camera", "rate", "241", "240"),
        ("camera", "rate", "nan", ""),
        ("camera", "rate", "inf", "240"),
        ("vision", "smallest_face", "0.0", "0.05"),
        ("vision", "smallest_face", "1.5", "1"),
        ("vision", "smallest_face", "nan", ""),
    ],
)
def test_a_number_out_of_range_is_explained(path: Path, section: str, key: str, value: str, bound: str) -> None:
    line = refusal(path, f"[{section}]\n{key} = {value}\n")
    assert line.startswith(f"{section}.{key} = {value}: ")
    assert bound in line
    assert meaning_of(section, key) in line


def meaning_of(section: str, key: str) -> str:
    annotation: Any = Config.model_fields[section].annotation
    return str(annotation.model_fields[key].description)


@pytest.mark.parametrize("section", Config.model_fields)
def test_a_section_that_is_no_table_is_explained_without_python(path: Path, section: str) -> None:
    line = refusal(path, f"{section} = 3\n")
    assert line.startswith(f"{section} = 3: ")
    assert "Config" not in line


def test_the_value_stands_in_the_line_even_if_it_has_several(path: Path) -> None:
    assert r"'a\nb'" in refusal(path, '[camera]\nwidth = """a\nb"""\n')


@pytest.mark.parametrize("content", ["[camera", "width 640", "[camera]\nwidth = 1\nwidth = 2\n", 'a = "\n"'])
def test_broken_toml_is_refused(path: Path, content: str) -> None:
    line = refusal(path, content)
    assert "not valid TOML" in line
    assert "(at " in line  # where it is broken


def test_what_is_not_utf8_is_refused(path: Path) -> None:
    assert "not UTF-8" in refusal(path, "[camera]\nsource = 'Größe'\n".encode("latin-1"))


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"kiosk\.toml cannot be read: No such file"):
        load(path)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)
