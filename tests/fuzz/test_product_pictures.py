"""Spoilt pictures of products, as a window reads them: drawn or not, in bounded time and memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtGui import QImage

from kiosk.ui.picture_trial import check_drawable
from kiosk.vending.catalog import demo_path
from tests.fuzz.mutations import COUNT, mutations


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_spoilt_pictures_are_drawn_or_not(tmp_path: Path, kind: str) -> None:
    sample = tmp_path / f"sample.{kind}"
    if kind == "svg":
        sample.write_bytes(next(demo_path().parent.parent.glob("products/*.svg")).read_bytes())
    else:
        assert QImage(64, 48, QImage.Format.Format_RGB32).save(str(sample))
    folder = tmp_path / "spoilt"
    folder.mkdir()
    at_once: list[Path] = []
    for number, spoilt in enumerate(mutations(sample.read_bytes(), count=COUNT // 2)):
        at_once.append(folder / f"{number:05}.{kind}")
        at_once[-1].write_bytes(spoilt)
        if len(at_once) == 500:
            check_drawable(at_once)
            at_once.clear()
    check_drawable(at_once)
