"""Damaged settings, catalogues, manifests and PIN files are read, or refused in one line, and stay unchanged."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from importlib import resources
from pathlib import Path

import pytest

from kiosk import config
from kiosk.common.errors import KioskError
from kiosk.config import last_good
from kiosk.config.describe import example
from kiosk.inference.manifest import Manifest, manifest_path, read_checked, sha256_of
from kiosk.security.pin import load_pins
from kiosk.vending.catalog import catalog
from kiosk.vending.journal import Head
from tests.fuzz.mutations import Within, mutations
from tests.fuzz.structures import damage_json, damage_toml

LONGEST_LINE = 2000
ENGINE = b"engine"


def settings_text() -> bytes:
    """Returns the settings of `kiosk config init`."""
    return re.sub(r"(?m)^# ?(\w+ = )", r"\1", example(config.Config)).encode()


def catalogue_text() -> bytes:
    return catalog.demo_path().read_bytes()


def manifest_text() -> bytes:
    """Returns the manifest of the engine that `read_engine` writes."""
    manifest = Manifest.model_validate_json((resources.files("kiosk.engines") / "facialnet.onnx.json").read_bytes())
    return manifest.model_copy(update={"sha256": sha256_of(ENGINE)}).model_dump_json().encode()


def pins_text() -> bytes:
    hash_ = "$2b$04$abcdefghijklmnopqrstuuJbJxmEmXn5LrSh3fR1u5x5V1xU7V6Y2"
    return f'{{"service": "{hash_}", "attendant": ""}}\n'.encode()


def read_engine(path: Path) -> object:
    """Reads an engine whose manifest is `path`."""
    engine = path.with_suffix("")
    engine.write_bytes(ENGINE)
    content, _ = read_checked(engine)
    assert content == ENGINE
    return content


READERS: dict[str, tuple[Callable[[], bytes], Within, str, Callable[[Path], object]]] = {
    "settings": (settings_text, damage_toml, "kiosk.toml", config.load),
    "catalogue": (catalogue_text, damage_toml, "catalog.toml", catalog.load),
    "manifest": (manifest_text, damage_json, "some.onnx.json", read_engine),
    "PINs": (pins_text, damage_json, "pins.json", load_pins),
}


@pytest.mark.proves("files-spoilt")
@pytest.mark.parametrize("kind", READERS)
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    sample, within, name, read = READERS[kind]
    path = tmp_path / name
    path.touch(0o600)
    refusals: list[str] = []
    read_well = 0
    for damaged in mutations(sample(), within=within):
        path.write_bytes(damaged)
        try:
            read(path)
            read_well += 1
        except KioskError as error:
            refusals.append(str(error))
        assert path.read_bytes() == damaged
        assert len(list(tmp_path.iterdir())) <= 2, "something was left beside it"
    assert refusals
    assert read_well
    assert all(0 < len(refusal) < LONGEST_LINE and "\n" not in refusal for refusal in refusals)


def test_the_samples_are_good_before_they_are_damaged(tmp_path: Path) -> None:
    for sample, _, name, read in READERS.values():
        path = tmp_path / name
        path.touch(0o600)
        path.write_bytes(sample())
        read(path)
    assert manifest_path(tmp_path / "some.onnx").exists()


def test_a_damaged_head_of_a_journal_is_refused() -> None:
    for damaged in mutations(b"123:9f2c9f2c9f2c9f2c"):
        text = damaged.decode("utf-8", "surrogateescape")
        try:
            head = Head.parse(text)
        except KioskError:
            continue
        assert re.fullmatch(r"\d+:[0-9a-f]+", text)
        assert head.seq == int(text.partition(":")[0])


def test_damaged_settings_of_the_last_start_are_used_or_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_state_path", lambda _: tmp_path / "state")
    settings = tmp_path / "kiosk.toml"
    settings.write_bytes(settings_text())
    last_good.save(config.load(settings), settings)
    settings.write_text("nonsense")
    (kept,) = (tmp_path / "state").iterdir()
    used = 0
    for damaged in mutations(kept.read_bytes(), within=damage_json):
        kept.write_bytes(damaged)
        with suppress(config.ConfigError):
            found, _ = last_good.load_or_last_good(settings)
            used += 1
            assert not found.age_check.automatic_pass
        assert kept.read_bytes() == damaged
    assert used
