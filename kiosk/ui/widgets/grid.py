"""How products share a page: as few pages as there can be, with tiles large enough to touch and to read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PyQt6.QtCore import QRect, QSize


@dataclass(frozen=True)
class Grid:
    """Columns and rows of one page."""

    columns: int
    rows: int
    pages: int

    @property
    def per_page(self) -> int:
        return self.columns * self.rows

    def place(self, area: QRect, index: int, gap: int) -> QRect:
        """Of the tile with this index on its page."""
        width = (area.width() - gap * (self.columns - 1)) / self.columns
        height = (area.height() - gap * (self.rows - 1)) / self.rows
        left, top = index % self.columns * (width + gap), index // self.columns * (height + gap)
        return QRect(
            area.left() + round(left),
            area.top() + round(top),
            round(left + width) - round(left),
            round(top + height) - round(top),
        )


def grid_for(count: int, area: QSize, least: QSize, most: QSize, gap: int) -> Grid:
    """The grid for `count` products: everything on one page if it can be, in tiles as square as they come.

    `least` is the smallest tile and `most` the largest: a single product need not fill a wall.
    """
    columns_most = max((area.width() + gap) // (least.width() + gap), 1)
    rows_most = max((area.height() + gap) // (least.height() + gap), 1)
    pages = math.ceil(count / (columns_most * rows_most))
    each = math.ceil(count / pages)
    best: tuple[float, Grid] | None = None
    for columns in range(1, columns_most + 1):
        rows = math.ceil(each / columns)
        if rows > rows_most:
            continue
        width = min((area.width() - gap * (columns - 1)) / columns, most.width())
        height = min((area.height() - gap * (rows - 1)) / rows, most.height())
        empty = columns * rows - each
        # a picture wants a tile a little higher than wide; an empty place looks like something missing
        badness = abs(math.log(width / height / 0.85)) + 0.12 * empty
        if best is None or badness < best[0]:
            best = badness, Grid(columns, rows, pages)
    return best[1] if best else Grid(columns_most, rows_most, pages)
