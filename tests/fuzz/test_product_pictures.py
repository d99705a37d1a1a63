"""Damaged product images are drawn, or refused by name, in bounded time and memory."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from random import Random

import pytest
from PyQt6.QtGui import QImage

from kiosk.ui.products.picture_check import PictureError, check_drawable
from kiosk.vending.catalog.catalog import demo_path
from tests.fuzz.mutations import Within, batches
from tests.fuzz.test_pictures import damage_png

AT_ONCE = 500
WRONG = (
    "",
    "-1",
    "0",
    "1e9",
    "1e308",
    "nan",
    "100%",
    "url(#a)",
    "#a",
    "none",
    "M0 0L1e9 1e9",
    "matrix(0 0 0 0 0 0)",
    "0 0 0 0",
)


def damage_svg(sample: bytes, random: Random) -> bytes:
    """Returns valid XML in which a few attributes have other values and elements are repeated."""
    text = sample.decode()
    for _ in range(random.choice((1, 2, 4, 8))):
        values = list(re.finditer(r'="([^"]*)"', text))
        at, other = random.choice(values), random.choice(values)
        value = random.choice((*WRONG, other[1], at[1] * 9))
        text = f'{text[: at.start()]}="{value}"{text[at.end() :]}'
        elements = re.findall(r"<[a-z]+ [^<>]*/>", text)
        if elements and random.random() < 0.3:
            text = text.replace(random.choice(elements), random.choice(elements) * random.choice((1, 2, 50)), 1)
    return text.encode()


@pytest.mark.proves("picture-product")
@pytest.mark.parametrize(("kind", "within"), [("svg", damage_svg), ("png", damage_png)])
def test_damaged_pictures_are_drawn_or_not(tmp_path: Path, kind: str, within: Within) -> None:
    sample = tmp_path / f"sample.{kind}"
    if kind == "svg":
        sample.write_bytes(next(demo_path().parent.parent.glob("products/*.svg")).read_bytes())
    else:
        assert QImage(64, 48, QImage.Format.Format_RGB32).save(str(sample))
    folder = tmp_path / "damaged"
    for at_once in batches(sample.read_bytes(), AT_ONCE, within):
        folder.mkdir()
        pictures = [folder / f"{number:05}.{kind}" for number in range(len(at_once))]
        for picture, content in zip(pictures, at_once, strict=True):
            picture.write_bytes(content)
        check_all(pictures)
        assert [picture.read_bytes() for picture in pictures] == at_once
        shutil.rmtree(folder)


def check_all(pictures: list[Path]) -> None:
    """Checks every image: the error must name a refused one, and the check goes on after it."""
    while pictures:
        try:
            check_drawable(pictures)
        except PictureError as error:
            (refused,) = (each for each in pictures if str(each) in str(error))
            pictures = pictures[pictures.index(refused) + 1 :]
        else:
            return
