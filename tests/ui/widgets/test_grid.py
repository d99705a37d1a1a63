from __future__ import annotations

import pytest
from PyQt6.QtCore import QRect, QSize

from kiosk.ui.widgets.grid import grid_for

LEAST, MOST = QSize(140, 150), QSize(450, 520)


@pytest.mark.parametrize("count", range(1, 25))
@pytest.mark.parametrize("area", [QSize(1200, 600), QSize(1000, 1500), QSize(500, 260), QSize(450, 600)])
def test_every_product_has_a_place_large_enough(count: int, area: QSize) -> None:
    grid = grid_for(count, area, LEAST, MOST, 10)
    assert grid.per_page * grid.pages >= count
    assert grid.per_page * (grid.pages - 1) < count, "the last page is empty"
    room = QRect(7, 9, area.width(), area.height())
    places = [grid.place(room, index, 10) for index in range(grid.per_page)]
    for index, place in enumerate(places):
        assert room.contains(place)
        assert place.width() >= LEAST.width() - 1
        assert place.height() >= LEAST.height() - 1
        assert not any(place.intersects(other) for other in places[:index])


def test_few_products_need_one_page() -> None:
    assert grid_for(14, QSize(1250, 570), LEAST, MOST, 10).pages == 1


def test_a_room_too_small_for_one_still_shows_one() -> None:
    grid = grid_for(3, QSize(50, 50), LEAST, MOST, 10)
    assert (grid.columns, grid.rows, grid.pages) == (1, 1, 3)
