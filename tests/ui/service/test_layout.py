"""The layout of every page of service mode, in every size, orientation and language."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from kiosk.estimate import Observation
from kiosk.ui.service.pages.health import HealthPage
from kiosk.ui.service.pages.settle import SettlePage
from kiosk.ui.service.screen import MIN_ROWS
from kiosk.ui.shop.preferences import Appearance
from kiosk.ui.translations import translator
from kiosk.vending.journal import Journal
from kiosk.vending.journal.facts import GONE, JournalReplaced
from tests.fakes.ui import make_estimate, make_face, make_preview
from tests.support.layout_judge import faults, place
from tests.ui.shop.screens.test_layout import SIZES, density
from tools.make_screenshots import SERVICE, ClipVision, play, stage_for

UPRIGHT = (800, 1280, 10.1)
AIDED = {"usual text": (False, False), "large text": (True, False)}
CASES = [
    *(
        pytest.param(SIZES[size], code, *aids, id=f"{size}, {code}, {name}")
        for size in SIZES
        for code in translator.NAMES
        for name, aids in AIDED.items()
    ),
    # German has the longest words
    *(pytest.param(SIZES[size], "de", True, True, id=f"{size}, de, both aids") for size in SIZES),
    *(pytest.param(UPRIGHT, code, False, True, id=f"10 inch upright, {code}, low reach") for code in translator.NAMES),
    pytest.param(UPRIGHT, "de", True, True, id="10 inch upright, de, both aids"),
]

MISSING = JournalReplaced("journal-missing-20260102T030405Z", GONE)
DAMAGED = JournalReplaced("journal-damaged-20260102T030405Z", "row 3 was changed", "0a1b2c3d-17-1 0a1b2c3d-18-1")


@pytest.mark.parametrize(("size", "code", "large", "low"), CASES)
@pytest.mark.usefixtures("qtbot")
def test_every_page_is_laid_out(
    size: tuple[int, int, float], code: str, large: bool, low: bool, tmp_path: Path
) -> None:
    if not translator.can_show(code):
        pytest.skip("no font with Chinese letters: fonts-droid-fallback has them")
    seen = Observation(1.0, 1, 31.0, (make_face(estimate=make_estimate()),))
    width, height, inches = size
    others = tuple(each for each in translator.NAMES if each != code)
    appearance = Appearance(
        (code, *others), large_text=large, low_reach=low, pixels_per_mm=density(width, height, inches)
    )
    found = []
    for scene in SERVICE:
        path = tmp_path / scene / "journal.db"
        with closing(Journal(path)) as journal:
            stage = stage_for(journal, ClipVision(seen, make_preview()), (width, height), appearance, path)
            play(stage, scene, code)
            QApplication.processEvents()
            has_room = "gate" in scene or height // 2 >= MIN_ROWS * stage.window.metrics.touch
            found += [f"{scene}: {fault}" for fault in faults(stage.window) if has_room or "out of reach" not in fault]
            pin_dialog, mark = stage.service.pin_dialog, stage.window.mark
            if pin_dialog.isVisible() and place(pin_dialog, stage.window).intersects(place(mark, stage.window)):
                found += [f"{scene}: the mark of a simulation is covered"]
            stage.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("size", "code", "large", "low"), CASES)
@pytest.mark.parametrize(
    "fact", [JournalReplaced("journal-missing-20260102T030405Z", GONE), DAMAGED], ids=["gone", "damaged"]
)
@pytest.mark.usefixtures("qtbot")
def test_the_text_about_a_replaced_journal_can_be_read(
    size: tuple[int, int, float], code: str, large: bool, low: bool, fact: JournalReplaced, tmp_path: Path
) -> None:
    if not translator.can_show(code):
        pytest.skip("no font with Chinese letters: fonts-droid-fallback has them")
    width, height, inches = size
    appearance = Appearance((code,), large_text=large, low_reach=low, pixels_per_mm=density(width, height, inches))
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        journal.append(fact)
        seen = Observation(1.0, 1, 31.0, ())
        stage = stage_for(journal, ClipVision(seen, make_preview()), (width, height), appearance, path)
        for kind in (SettlePage, HealthPage):
            page = stage.open(kind)
            QApplication.processEvents()
            assert not isinstance(page, SettlePage) or fact.folder in page.question.text
            assert [fault for fault in faults(stage.window) if "out of reach" not in fault] == []
            stage.service.screen.back.click()
        stage.close()
