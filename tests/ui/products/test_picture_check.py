"""Pictures that are made to harm, as a catalogue may have got them from anywhere."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kiosk.app import factories
from kiosk.app.factories import load_catalog
from kiosk.config import Config, ShopConfig
from kiosk.ui.products import picture_check
from kiosk.ui.products.picture_check import PictureError, check_drawable
from kiosk.vending.catalog.catalog import demo_path

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 99 99"{}>{}</svg>'
)


def svg(inside: str, size: str = "") -> bytes:
    return SVG.format(size, inside).encode()


def entities() -> bytes:
    """A billion laughs."""
    more = "".join(f'<!ENTITY {chr(98 + n)} "' + f"&{chr(97 + n)};" * 10 + '">' for n in range(9))
    return f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "ha">{more}]>'.encode() + svg("<text>&j;</text>")


def uses() -> bytes:
    """Each of eight groups is ten times the one before it."""
    groups = "".join(f'<g id="a{n + 1}">' + f'<use xlink:href="#a{n}"/>' * 10 + "</g>" for n in range(8))
    return svg(f'<defs><g id="a0"><rect width="9" height="9"/></g>{groups}</defs><use xlink:href="#a8"/>')


def recursion() -> bytes:
    a_and_b = '<g id="a"><use xlink:href="#b"/></g><g id="b"><use xlink:href="#a"/></g>'
    return svg(f'<defs>{a_and_b}</defs><use xlink:href="#a"/>')


def huge() -> bytes:
    return svg('<rect width="9" height="9"/>', ' width="1000000000" height="1000000000"')


def deep() -> bytes:
    return svg("<g>" * 100_000 + "</g>" * 100_000)


def png_bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("make", [entities, recursion, huge, deep, png_bomb, lambda: b"", lambda: b"no picture"])
def test_what_qt_refuses_or_draws_is_taken(tmp_path: Path, make: Callable[[], bytes]) -> None:
    path = tmp_path / ("bomb.png" if make is png_bomb else "bomb.svg")
    path.write_bytes(make())
    check_drawable([path])


@pytest.mark.proves("picture-product")
def test_what_multiplies_is_refused_by_name(tmp_path: Path) -> None:
    good, bomb = tmp_path / "good.svg", tmp_path / "bomb.svg"
    good.write_bytes(svg('<rect width="9" height="9"/>'))
    bomb.write_bytes(uses())
    check_drawable([good])
    with pytest.raises(PictureError, match=rf"picture {bomb} takes more than 5 seconds .* replace it by a PNG"):
        check_drawable([good, bomb, good])


def test_a_machine_with_such_a_picture_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That such a picture is refused is the test above: it takes seconds to find out."""

    def refuse(pictures: Sequence[Path]) -> None:
        for each in pictures:
            if each.read_bytes() == uses():
                raise PictureError(f"picture {each} takes too long")

    monkeypatch.setattr(factories, "check_drawable", refuse)
    text = demo_path().read_text(encoding="utf-8")
    (tmp_path / "catalog.toml").write_text(text, encoding="utf-8")
    config = Config(shop=ShopConfig(catalog=str(tmp_path / "catalog.toml")))
    catalog, _ = load_catalog(config)
    picture = next(product.picture for product in catalog.product if product.picture)
    (tmp_path / picture).write_bytes(uses())
    with pytest.raises(PictureError, match=picture):
        load_catalog(config)


def test_the_kiosks_own_pictures_are_not_tried_at_every_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_check.subprocess, "run", None)
    load_catalog(Config())


@pytest.mark.proves("foreign-folder")
def test_a_folder_that_a_catalogue_came_in_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PyQt6", "kiosk", "resource"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (tmp_path / "good.svg").write_bytes(svg('<rect width="9" height="9"/>'))
    monkeypatch.chdir(tmp_path)
    check_drawable([Path("good.svg")])
    assert not (tmp_path / "ran").exists()
