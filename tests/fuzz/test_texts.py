"""Spoilt settings, catalogues, manifests and PIN files are read, or refused in one line; nothing else happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from kiosk import config, pin_file
from kiosk.config.text import example
from kiosk.engine.manifest import Manifest, manifest_path, read_checked, sha256_of
from kiosk.errors import KioskError
from kiosk.vending import catalog
from kiosk.vending.journal import Head
from tests.fuzz.mutations import mutations

LONGEST_LINE = 2000


def settings_text() -> bytes:
    """The example, with every key at work."""
    return re.sub(r"(?m)^# ?(\w+ = )", r"\1", example(config.Config)).encode()


def catalogue_text() -> bytes:
    return catalog.demo_path().read_bytes()


def manifest_text() -> bytes:
    return (resources.files("kiosk.engines") / "facialnet.onnx.json").read_bytes()


def pins_text() -> bytes:
    hash_ = "$2b$04$abcdefghijklmnopqrstuuJbJxmEmXn5LrSh3fR1u5x5V1xU7V6Y2"
    return f'{{"service": "{hash_}", "attendant": ""}}\n'.encode()


def read_engine(path: Path) -> object:
    """An engine whose manifest is `path`."""
    engine = path.with_suffix("")
    engine.write_bytes(b"engine")
    return read_checked(engine)


READERS: dict[str, tuple[Callable[[], bytes], str, Callable[[Path], object]]] = {
    "settings": (settings_text, "kiosk.toml", config.load),
    "catalogue": (catalogue_text, "catalog.toml", catalog.load),
    "manifest": (manifest_text, "some.onnx.json", read_engine),
    "PINs": (pins_text, "pins.json", pin_file.load),
}


@pytest.mark.parametrize("kind", READERS)
def test_spoilt_files_are_read_or_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    sample, name, read = READERS[kind]
    path = tmp_path / name
    path.touch(0o600)
    refusals: list[str] = []
    for spoilt in mutations(sample()):
        path.write_bytes(spoilt)
        try:
            read(path)
        except KioskError as error:
            refusals.append(str(error))
        assert path.read_bytes() == spoilt
    assert refusals
    assert all(0 < len(refusal) < LONGEST_LINE for refusal in refusals)


def test_the_samples_are_good_before_they_are_spoilt(tmp_path: Path) -> None:
    for sample, name, read in READERS.values():
        path = tmp_path / name
        path.touch(0o600)
        content = sample()
        if read is read_engine:
            manifest = Manifest.model_validate_json(content)
            content = manifest.model_copy(update={"sha256": sha256_of(b"engine")}).model_dump_json().encode()
        path.write_bytes(content)
        read(path)
    assert manifest_path(tmp_path / "some.onnx").exists()


def test_a_spoilt_head_of_a_journal_is_refused() -> None:
    for spoilt in mutations(b"123:9f2c9f2c9f2c9f2c"):
        text = spoilt.decode("utf-8", "surrogateescape")
        try:
            head = Head.parse(text)
        except KioskError:
            continue
        assert re.fullmatch(r"\d+:[0-9a-f]+", text)
        assert head.seq == int(text.partition(":")[0])
