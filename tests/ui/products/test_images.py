"""Names that somebody else wrote, and pictures that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QFontMetrics, QImage, QPainter
from pytestqt.qtbot import QtBot

from kiosk.ui.products.images import ProductImages, paint_picture
from kiosk.ui.shop.screens.done import ReceiptRows
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vending.catalog import catalog as catalogs
from kiosk.vending.catalog.catalog import Catalog

LONG = "Sparkling " * 5 + "Wildwater"
"""As long as a catalogue lets a name be."""


def images(folder: Path, name: str = "Water", picture: str = "") -> ProductImages:
    product = {"slot": "A1", "price": 180, "name": {"en": name}, "capacity": 5, "stock": 1, "picture": picture}
    return ProductImages(Catalog.model_validate({"currency": "EUR", "product": [product]}), folder / "catalog.toml")


def painted(images: ProductImages) -> QImage:
    image = QImage(200, 200, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.black)
    painter = QPainter(image)
    paint_picture(painter, images, "A1", QRectF(0, 0, 200, 200), 1.0)
    painter.end()
    return image


# Names


@pytest.mark.parametrize("name", ["Wa\nter", "Wa\tter", "Wa\x00ter", "\x1bWa\u2028ter\r\n"])
@pytest.mark.usefixtures("qtbot")
def test_a_name_is_on_one_line(tmp_path: Path, name: str) -> None:
    assert images(tmp_path, name).name("A1", "en") == "Wa ter"
    assert images(tmp_path, name).names("A1") == ["Wa ter"]


def test_a_long_name_keeps_its_beginning_and_its_end(qtbot: QtBot) -> None:
    rows = ReceiptRows(None)  # type: ignore[arg-type]
    qtbot.addWidget(rows)
    rows.setGeometry(QRect(0, 0, 300, 120))
    rows.rescale(DisplayMetrics.of(QSize(800, 800), 4.0))
    rows.show_rows([(LONG, "€1.80"), ("Time", "2026-01-01 12:00")])
    name = rows.placed_texts[0]
    assert (name.text[:4], name.text[-5:]) == ("Spar", "water")
    for placed in rows.placed_texts:
        assert QFontMetrics(placed.font).horizontalAdvance(placed.text) <= placed.place.width()
    assert [placed.text for placed in rows.placed_texts[1:]] == ["€1.80", "Time", "2026-01-01 12:00"]


# Pictures


@pytest.mark.parametrize(
    ("name", "data"), [("text.svg", b"not a drawing"), ("noise.png", bytes(range(256)) * 9), ("empty.png", b"")]
)
@pytest.mark.usefixtures("qtbot")
def test_a_broken_picture_is_a_neutral_one(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    image = painted(images(tmp_path, picture=name))
    blank = image.copy()
    blank.fill(Qt.GlobalColor.black)
    assert image != blank
    assert image == painted(images(tmp_path))


@pytest.mark.usefixtures("qtbot")
def test_a_png_that_ends_early_is_a_neutral_one(tmp_path: Path) -> None:
    whole = QImage(64, 64, QImage.Format.Format_RGB32)
    whole.save(str(tmp_path / "cut.png"))
    data = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[:45])
    assert painted(images(tmp_path, picture="cut.png")) == painted(images(tmp_path))


@pytest.mark.usefixtures("qtbot")
def test_a_picture_is_not_neutral() -> None:
    path = catalogs.demo_path()
    real = ProductImages(catalogs.load(path), path)
    assert not real.picture(real.slots[0], QSize(100, 100)).isNull()
