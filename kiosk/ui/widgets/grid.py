"""Arranges products on pages: as few pages as possible, with tiles large enough to touch and to read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PyQt6.QtCore import QRect, QSize


@dataclass(frozen=True)
class Grid:
    """Columns and rows of a page, and the number of pages."""

    columns: int
    rows: int
    pages: int

    @property
    def per_page(self) -> int:
        """Tiles on one page."""
        return self.columns * self.rows

    def place(self, area: QRect, index: int, gap: int) -> QRect:
        """Returns the rectangle of the tile with this index on its page."""
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
    """Returns the grid for `count` products: one page if possible, with tiles as square as possible.

    `least` is the smallest tile and `most` the largest; sizes and `gap` are in pixels.
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
        # images look best in tiles a little higher than wide; empty places look like missing products
        badness = abs(math.log(width / height / 0.85)) + 0.12 * empty
        if best is None or badness < best[0]:
            best = badness, Grid(columns, rows, pages)
    return best[1] if best else Grid(columns_most, rows_most, pages)
