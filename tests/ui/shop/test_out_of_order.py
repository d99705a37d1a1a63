"""The window of a machine that cannot start: its text is readable on every screen size and for every reason."""

from __future__ import annotations

from itertools import combinations

import pytest
from pytestqt.qtbot import QtBot

from kiosk.ui.shop.out_of_order import MAX_REASON_LENGTH, OutOfOrderWindow
from kiosk.ui.translations.translator import can_show
from kiosk.ui.widgets.icons import AnimatedIcon
from kiosk.ui.widgets.text import Text, fits

LONG = f"journal /var/lib/{'facialnet-kiosk/' * 8}journal.db is damaged " * 4


@pytest.mark.parametrize("reason", ["the disk is full: make room", LONG], ids=["short", "long"])
@pytest.mark.parametrize("large_text", [False, True])
@pytest.mark.parametrize("size", [(1280, 800), (1080, 1920), (800, 480), (480, 800), (3840, 2160)])
def test_nothing_is_clipped_and_nothing_overlaps(
    qtbot: QtBot, size: tuple[int, int], large_text: bool, reason: str
) -> None:
    window = OutOfOrderWindow(reason, str, ("de", "en", "zh"), large_text=large_text)
    qtbot.addWidget(window)
    window.show()
    window.resize(*size)
    texts = window.findChildren(Text)
    for text in texts:
        (placed,) = text.placed_texts
        assert fits(placed.font, placed.text, placed.place.size()), text.text
    parts = [window.icon_name, *texts]
    for part in parts:
        assert window.rect().contains(part.geometry())
        assert not isinstance(part, AnimatedIcon) or min(part.width(), part.height()) >= 20
    for one, other in combinations(parts, 2):
        assert not one.geometry().intersects(other.geometry()), (one, other)
    window.leave()


def test_it_shows_every_language_and_the_first_one_to_the_operator(qtbot: QtBot) -> None:
    window = OutOfOrderWindow("two\nlines " + "x" * MAX_REASON_LENGTH, str, ("de", "en", "zh"))
    qtbot.addWidget(window)
    titles = [title.text for title, _ in window.messages]
    assert titles[:2] == ["Außer Betrieb", "Out of order"]
    assert len(titles) == (3 if can_show("zh") else 2)
    assert window.service.text.startswith("Service: two lines xxx")
    assert window.service.text.endswith("x…")
    window.leave()
