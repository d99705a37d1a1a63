"""The layout of every screen, in every size, orientation and language."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QApplication

from kiosk.estimate import Observation
from kiosk.ui.products.tile import Tile
from kiosk.ui.shop.preferences import Appearance
from kiosk.ui.translations import translator
from tests.fakes.sale_rig import MemoryJournal
from tests.fakes.ui import make_estimate, make_face, make_preview
from tests.support.layout_judge import faults
from tools.make_screenshots import SCENES, ClipVision, play, stage_for

INCH = 25.4
SIZES = {
    "7 inch": (800, 480, 7.0),
    "7 inch upright": (480, 800, 7.0),
    "7 inch fine": (1024, 600, 7.0),
    "10 inch": (1280, 800, 10.1),
    "32 inch upright": (1080, 1920, 32.0),
    "43 inch": (3840, 2160, 43.0),
}
"""Width and height in pixels, inches of the diagonal."""
AIDED = {"large text": (True, False), "low reach": (False, True), "both": (True, True)}
CASES = [
    *(pytest.param(size, code, (False, False), id=f"{size}, {code}") for size in SIZES for code in translator.NAMES),
    # German has the longest words
    *(pytest.param(size, "de", AIDED["both"], id=f"{size}, de, both aids") for size in SIZES),
    *(pytest.param("7 inch", "en", aids, id=f"7 inch, en, {name}") for name, aids in AIDED.items()),
    *(pytest.param("32 inch upright", "zh", aids, id=f"32 inch upright, zh, {name}") for name, aids in AIDED.items()),
]


def density(width: int, height: int, inches: float) -> float:
    """Return the pixels per millimetre of a screen with a diagonal of `inches`."""
    return float((width**2 + height**2) ** 0.5 / (inches * INCH))


@pytest.mark.parametrize(("size", "code", "aids"), CASES)
@pytest.mark.usefixtures("qtbot")
def test_every_screen_is_laid_out(size: str, code: str, aids: tuple[bool, bool]) -> None:
    if not translator.can_show(code):
        pytest.skip("no font with Chinese letters: fonts-droid-fallback has them")
    seen = Observation(1.0, 1, 31.0, (make_face(estimate=make_estimate()),))
    width, height, inches = SIZES[size]
    large, low = aids
    appearance = Appearance(pixels_per_mm=density(width, height, inches), large_text=large, low_reach=low)
    found = []
    for scene in SCENES:
        stage = stage_for(MemoryJournal(), ClipVision(seen, make_preview()), (width, height), appearance)  # type: ignore[arg-type]
        play(stage, scene, code)
        QApplication.processEvents()
        found += [f"{scene}: {fault}" for fault in faults(stage.window)]
        stage.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", translator.NAMES)
@pytest.mark.usefixtures("qtbot")
def test_the_note_about_counting_has_room(size: str, code: str) -> None:
    if not translator.can_show(code):
        pytest.skip("no font with Chinese letters: fonts-droid-fallback has them")
    seen = Observation(1.0, 1, 31.0, (make_face(estimate=make_estimate()),))
    width, height, inches = SIZES[size]
    found = []
    for large in (False, True):
        appearance = Appearance(pixels_per_mm=density(width, height, inches), large_text=large, counts=True)
        for scene in ("attract", "products-live", "age-check"):
            stage = stage_for(MemoryJournal(), ClipVision(seen, make_preview()), (width, height), appearance)  # type: ignore[arg-type]
            play(stage, scene, code)
            QApplication.processEvents()
            found += [f"{scene}: {fault}" for fault in faults(stage.window)]
            stage.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("size", [(1280, 800), (800, 1280)])
@pytest.mark.usefixtures("qtbot")
def test_a_note_does_not_shrink_a_long_name(size: tuple[int, int]) -> None:
    vision = ClipVision(Observation(1.0, 1, 31.0), make_preview())
    stage = stage_for(MemoryJournal(), vision, size, Appearance(pixels_per_mm=5.9))  # type: ignore[arg-type]
    play(stage, "products", "en")
    tiles = [tile for tile in stage.window.findChildren(Tile) if tile.isVisible()]
    assert any(tile.text_lines.note for tile in tiles)
    letters = {tile.text_lines.name: tile.placed_texts[0].font.pixelSize() for tile in tiles}
    stage.close()
    assert min(letters.values()) >= 0.8 * max(letters.values()), letters
