"""The settings file: which keys and values it may hold, and how an error in it is explained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kiosk.app.factories import min_face_width
from kiosk.config import CameraConfig, Config, ConfigError, load, renamed_keys
from kiosk.config.describe import example
from kiosk.ui.translations.translator import NAMES
from kiosk.vending.age_check import MIN_FACE_WIDTH

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

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
width = 1080
height = 1920
width_mm = 345.5
mirror = false
large_text = true
low_reach = true
languages = ["de", "en"]
language = "de"

[sound]
enabled = false
volume = 0.25

[shop]
catalog = "/etc/kiosk/catalog.toml"
state = "/var/lib/kiosk"

[age_check]
automatic_pass = true
margin = 10
threshold = 0.98
seconds = 2.5
min_good_frames = 20
time_out = 20
liveness = false

[id]
attendant = true
reader = "passport"

[payment]
kind = "mdb"
port = "/dev/ttyACM0"

[dispenser]
kind = "serial"
port = "/dev/ttyUSB0"
motors = ["A1=1", "A2=2"]

[service]
pins = "/etc/kiosk/pins.json"

[log]
file = "/var/log/kiosk/kiosk.log"

[fleet]
broker = "localhost"
port = 8884
machine = "m-17"
topic = "vending"
tls = false
ca = "/etc/kiosk/ca.crt"
certificate = "/etc/kiosk/m-17.crt"
key = "/etc/kiosk/m-17.key"
user = "m-17"
password = "/etc/kiosk/password"
health_every = 60
outbox = 500
orders_key = "zWQN"
engines = "/etc/kiosk/engines"
count_visitors = true

[timeouts]
warning = 10
browsing = 61
selected = 62
age_check = 63
ask_id = 64
id_refused = 65
paying = 66
declined = 67
dispensing = 68
refunding = 69
done = 70
service = 71
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kiosk.toml"


def refusal(path: Path, content: str | bytes) -> str:
    """Returns the error line for settings with this content, without the file's name at its beginning."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as caught:
        load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"settings {path}")
    return line.removeprefix(f"settings {path}").removeprefix(": ")


def test_an_empty_file_gives_the_defaults(path: Path) -> None:
    path.write_text("")
    assert load(path) == Config()


def test_nothing_is_sold_or_passed_by_default() -> None:
    config = Config()
    assert not config.age_check.automatic_pass
    assert config.age_check.liveness
    assert (config.payment.kind, config.dispenser.kind, config.id.reader) == ("none", "none", "none")
    assert not config.id.attendant


def test_the_default_languages_are_all_that_there_are() -> None:
    assert set(Config().window.languages) == set(NAMES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[window]\nlanguages = ["de"]\n', ("window", "'en'", "not among languages")),
        ('[window]\nlanguages = ["en", "de", "en"]\n', ("window: languages", "twice")),
        ("[timeouts]\nwarning = 30\n", ("timeouts: warning is 30", "less than id_refused, 30")),
        ("[timeouts]\npaying = 15\n", ("warning is 15", "less than paying, 15")),
        ("[age_check]\ntime_out = 31\n", ("age_check.time_out is 31", "timeouts.age_check, 30")),
        ("[age_check]\nmin_good_frames = 361\n", ("age_check.min_good_frames is 361", "camera.rate, 30")),
        ('[shop]\nstate = "~nouser/x"\n', ("`~`", "no user")),
        ('[shop]\ncatalog = ""\n', ("shop.catalog = ''", "at least 1")),
        ('[shop]\nstate = ""\n', ("shop.state = ''", "at least 1")),
        ('[shop]\nstate = "a\\u0000b"\n', ("shop.state", "pattern")),
        ('[camera]\nsource = "a\\u0000b"\n', ("camera.source", "pattern")),
        (f'[shop]\nstate = "{"ü" * 101}"\n', ("shop.state", "up to 200 bytes")),
        (f'[camera]\nsource = "{"a/" * 1025}"\n', ("camera.source", "2048")),
        (f'[payment]\nport = "/{"a" * 201}"\n', ("payment.port", "up to 200 bytes")),
        (f"a = {'[' * 5000}{']' * 5000}", ("nested too deeply",)),
        ("[age_check]\nseconds = 12\n", ("age_check", "time_out is 12", "more than seconds")),
        ('[window]\nlanguages = ["de", "fr"]\n', ("window.languages.1 = 'fr'", '"en", "zh", "de"')),
        ("[window]\nlanguages = []\n", ("window.languages", "at least 1", "languages that customers can choose")),
        ('[payment]\nkind = "MDB reader"\n', ("payment.kind", "kind of terminal")),
        ('[payment]\nport = "ttyACM0"\n', ("payment.port", "serial port")),
        ('[dispenser]\nmotors = ["A1"]\n', ("dispenser.motors.0", "slots whose motor has another name")),
        ('[dispenser]\nmotors = ["A1=1", "A2=1"]\n', ("dispenser", "motors names one twice")),
        ("[age_check]\nthreshold = 0.5\n", ("age_check.threshold = 0.5", "over 0.5 to 1", "least probability")),
    ],
)
def test_invalid_values_and_combinations_are_explained(path: Path, text: str, words: tuple[str, ...]) -> None:
    line = refusal(path, text)
    for word in words:
        assert word in line


def test_relative_paths_start_at_the_folder_of_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path.parent / "clip.mp4").touch()
    path.write_text(
        '[camera]\nsource = "clip.mp4"\n[vision]\nengine = "e/f.onnx"\n'
        '[shop]\ncatalog = "goods.toml"\nstate = "state"\n'
        '[service]\npins = "../pins.json"\n'
    )
    monkeypatch.chdir("/")
    config, folder = load(path), path.parent
    assert config.camera.source == str(folder / "clip.mp4")
    assert config.engine_path == folder / "e/f.onnx"
    assert config.catalog_path == folder / "goods.toml"
    assert config.journal_path == folder / "state" / "journal.db"
    assert config.pins_path.resolve() == (folder / ".." / "pins.json").resolve()


@pytest.mark.parametrize("source", ["0", "auto", "demo"])
def test_a_camera_number_and_a_keyword_are_not_paths(path: Path, source: str) -> None:
    path.with_name(source).touch()
    path.write_text(f'[camera]\nsource = "{source}"\n')
    assert load(path).camera.source == source


def test_a_path_may_begin_with_the_home_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/kiosk")
    path.write_text(
        '[camera]\nsource = "~/clip.mp4"\n[vision]\nengine = "~/f.onnx"\n'
        '[shop]\ncatalog = "~/goods.toml"\nstate = "~/state"\n[service]\npins = "~/pins.json"\n'
    )
    config = load(path)
    places = (config.camera.source, config.engine_path, config.catalog_path, config.state_folder, config.pins_path)
    assert [Path(str(each)).parent for each in places] == [Path("/home/kiosk")] * 5


@pytest.mark.parametrize(("width", "pixels"), [(640, 80), (1280, 160), (320, 40)])
def test_a_wider_frame_asks_for_the_same_distance(path: Path, width: int, pixels: int) -> None:
    path.write_text(f"[camera]\nwidth = {width}\n")
    assert min_face_width(load(path)) == pixels
    assert min_face_width(Config()) == MIN_FACE_WIDTH


def test_the_example_holds_the_defaults_and_describes_every_key(path: Path) -> None:
    text = example(Config)
    path.write_text(text)
    assert load(path) == Config()
    comments = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    for name, section in Config.model_fields.items():
        annotation: Any = section.annotation
        assert f"\n[{name}]\n" in text
        for key, field in annotation.model_fields.items():
            assert f"{key}: {' '.join(field.description.split())}" in comments
    assert max(map(len, text.splitlines())) <= 100


def test_every_key_is_read(path: Path) -> None:
    path.write_text(EVERYTHING)
    config = load(path)
    assert config.model_dump(mode="json") == tomllib.loads(EVERYTHING)
    default = Config()
    for section in Config.model_fields:
        for key, value in getattr(config, section):
            assert value != getattr(getattr(default, section), key), f"EVERYTHING lacks {section}.{key}"


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
def test_every_key_has_a_description(section: str) -> None:
    annotation: Any = Config.model_fields[section].annotation
    assert all(field.description for field in annotation.model_fields.values())


def test_an_unknown_key_is_named_with_the_known_ones(path: Path) -> None:
    assert refusal(path, "[camera]\nwidht = 800\n") == (
        "unknown key camera.widht; the known keys are source, width, height, rate"
    )


def test_an_unknown_section_is_named_with_the_known_ones(path: Path) -> None:
    line = refusal(path, "[screen]\nmirror = true\n")
    assert line == f"unknown key screen; the known keys are {', '.join(Config.model_fields)}"


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
    assert description_of(section, key) in line


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
    assert description_of(section, key) in line


def description_of(section: str, key: str) -> str:
    annotation: Any = Config.model_fields[section].annotation
    return str(annotation.model_fields[key].description)


@pytest.mark.parametrize("section", Config.model_fields)
def test_a_section_that_is_not_a_table_is_explained_without_class_names(path: Path, section: str) -> None:
    line = refusal(path, f"{section} = 3\n")
    assert line.startswith(f"{section} = 3: ")
    assert "Config" not in line


def test_a_value_of_several_lines_is_shown_in_one(path: Path) -> None:
    assert r"'a\nb'" in refusal(path, '[camera]\nwidth = """a\nb"""\n')


@pytest.mark.parametrize("content", ["[camera", "width 640", "[camera]\nwidth = 1\nwidth = 2\n", 'a = "\n"'])
def test_broken_toml_is_refused(path: Path, content: str) -> None:
    line = refusal(path, content)
    assert "not valid TOML" in line
    assert "(at " in line  # where it is broken


def test_text_that_is_not_utf8_is_refused(path: Path) -> None:
    assert "not UTF-8" in refusal(path, "[camera]\nsource = 'Größe'\n".encode("latin-1"))


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"kiosk\.toml cannot be read: No such file"):
        load(path)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)


# Keys with a new name

OLD_AND_NEW = [
    ("[time_outs]\npaying = 66\n", "[timeouts]\npaying = 66\n", "time_outs", "timeouts"),
    (
        "[age_check]\ngood_pictures = 20\n",
        "[age_check]\nmin_good_frames = 20\n",
        "age_check.good_pictures",
        "age_check.min_good_frames",
    ),
    ("[fleet]\naudience = true\n", "[fleet]\ncount_visitors = true\n", "fleet.audience", "fleet.count_visitors"),
    ("[sound]\non = false\n", "[sound]\nenabled = false\n", "sound.on", "sound.enabled"),
]


@pytest.mark.parametrize(("old_text", "new_text", "old", "new"), OLD_AND_NEW)
def test_an_old_name_is_still_read_and_the_log_gives_the_new_one_once(
    path: Path, old_text: str, new_text: str, old: str, new: str, caplog: pytest.LogCaptureFixture
) -> None:
    renamed_keys._warn.cache_clear()
    path.write_text(old_text)
    by_old_name = [load(path), load(path)][1]
    (line,) = caplog.messages
    assert f"{old} " in line
    assert f"{new} " in line
    path.write_text(new_text)
    assert load(path) == by_old_name != Config()
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(("old_text", "new_text", "old", "new"), OLD_AND_NEW)
def test_the_old_and_the_new_name_together_are_refused_in_one_line(
    path: Path, old_text: str, new_text: str, old: str, new: str
) -> None:
    text = old_text + (new_text if old == "time_outs" else new_text.partition("\n")[2])
    line = refusal(path, text)
    assert f"{old} is the old name of {new}" in line


@pytest.mark.parametrize(("old_text", "new_text"), [texts[:2] for texts in OLD_AND_NEW])
def test_a_new_settings_file_has_the_new_names_only(old_text: str, new_text: str) -> None:
    tables = tomllib.loads(example(Config))
    for text, is_there in ((old_text, False), (new_text, True)):
        ((section, keys),) = tomllib.loads(text).items()
        assert (section in tables and set(keys) <= set(tables[section])) is is_there
