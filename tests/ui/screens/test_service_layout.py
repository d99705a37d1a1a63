"""Every page of service mode in every size, orientation and language, as it is for the customer's screens."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from assets.make_screenshots import SERVICE, ClipVision, play, stage_for
from kiosk.estimate import Observation
from kiosk.ui import language
from kiosk.ui.appearance import Appearance
from kiosk.vending.journal import Journal

from ..conftest import make_estimate, make_face, make_preview
from ..judge import faults, place
from .test_layout import SIZES, density


@pytest.mark.parametrize("large", [False, True], ids=["usual text", "large text"])
@pytest.mark.parametrize("code", language.NAMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.usefixtures("qtbot")
def test_every_page_is_laid_out(size: str, code: str, large: bool, tmp_path: Path) -> None:
    if not language.can_show(code):
        pytest.skip("no font with Chinese letters: fonts-droid-fallback has them")
    seen = Observation(1.0, 1, 31.0, (make_face(estimate=make_estimate()),))
    width, height, inches = SIZES[size]
    others = tuple(each for each in language.NAMES if each != code)
    appearance = Appearance((code, *others), large_text=large, pixels_per_mm=density(width, height, inches))
    found = []
    for scene in SERVICE:
        path = tmp_path / scene / "journal.db"
        with closing(Journal(path)) as journal:
            stage = stage_for(journal, ClipVision(seen, make_preview()), (width, height), appearance, path)
            play(stage, scene, code)
            QApplication.processEvents()
            found += [f"{scene}: {fault}" for fault in faults(stage.window)]
            gate, mark = stage.service.gate, stage.window.mark
            if gate.isVisible() and place(gate, stage.window).intersects(place(mark, stage.window)):
                found += [f"{scene}: the mark of a simulation is covered"]
            stage.close()
    assert not found, "\n".join(found)
