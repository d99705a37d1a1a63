"""Arranges widgets in a rectangle: a column whose items shrink together, or a row with equal or weighted widths.

Qt's layouts give a wrapped text its full height or cut it off. These give every item a share of the available space,
and a text then uses smaller letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QPoint, QRect
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets.text import Text


@dataclass(frozen=True)
class ColumnItem:
    """A widget in a column."""

    widget: QWidget
    height: int = 0
    """The desired height in pixels; 0 for a text, which computes it."""
    width: int = 0
    """The width in pixels; 0 for the width of the column."""
    least: int = 0
    """The smallest height in pixels."""
    gap: int = -1
    """The space above it in pixels; -1 for the column's gap."""


def arrange_column(area: QRect, parts: Sequence[ColumnItem], gap: int, *, at: float = 0.5) -> int:
    """Places `parts` one below the other in `area`; returns the lowest pixel.

    `at` is the share of the remaining space that goes above them. Hidden widgets and empty texts take no space.
    """
    shown = [part for part in parts if _wants(part, area.width()) > 0 and not part.widget.isHidden()]
    wants = [_wants(part, area.width()) for part in shown]
    gaps = [gap if part.gap < 0 else part.gap for part in shown]
    gaps[:1] = [0] * len(gaps[:1])
    room = area.height() - sum(gaps)
    if room < sum(wants) and sum(gaps) > 0:
        # the gaps shrink first, to a third
        gaps = [each - min(each * 2 // 3, (sum(wants) - room) * each // sum(gaps) + 1) for each in gaps]
        room = area.height() - sum(gaps)
    heights = _shrunk(wants, [part.least for part in shown], room)
    top = area.top() + round((area.height() - sum(heights) - sum(gaps)) * at)
    for part, height, space in zip(shown, heights, gaps, strict=True):
        top += space
        width = min(part.width or area.width(), area.width())
        part.widget.setGeometry(area.left() + (area.width() - width) // 2, top, width, height)
        top += height
    return top


def arrange_row(area: QRect, widgets: Sequence[QWidget], gap: int, weights: Sequence[float] | None = None) -> None:
    """Places `widgets` side by side over the whole `area`, with widths in proportion to `weights`."""
    weights = weights or [1.0] * len(widgets)
    room = area.width() - gap * (len(widgets) - 1)
    left = float(area.left())
    for widget, weight in zip(widgets, weights, strict=True):
        width = room * weight / sum(weights)
        widget.setGeometry(round(left), area.top(), round(left + width) - round(left), area.height())
        left += width + gap


def lower_half(widget: QWidget) -> int:
    """Returns where the lower half of the window begins, in pixels of `widget`."""
    window = widget.window() or widget
    return window.height() // 2 - widget.mapTo(window, QPoint()).y()


def centred(area: QRect, width: int, height: int) -> QRect:
    """Returns a rectangle of at most this size in the middle of `area`."""
    place = QRect(0, 0, min(width, area.width()), min(height, area.height()))
    place.moveCenter(area.center())
    return place


def split(area: QRect, height: int) -> tuple[QRect, QRect]:
    """What is above, and the lowest `height` pixels."""
    upper = QRect(area.topLeft(), area.bottomRight() - QPoint(0, height))
    return upper, QRect(area.left(), upper.bottom() + 1, area.width(), height)


def _wants(part: ColumnItem, width: int) -> int:
    if isinstance(part.widget, Text):
        wanted = part.widget.height_for(min(part.width or width, width))
        return min(wanted, part.height) if part.height and wanted else wanted
    return part.height


def _shrunk(wants: list[int], least: list[int], room: int) -> list[int]:
    """`wants`, each smaller by the same share until they fit `room`, none below its `least`."""
    heights = [float(want) for want in wants]
    for _ in wants:
        over = sum(heights) - room
        free = sum(height - low for height, low in zip(heights, least, strict=True) if height > low)
        if over <= 0 or free <= 0:
            break
        heights = [
            max(height - over * (height - low) / free, low) if height > low else height
            for height, low in zip(heights, least, strict=True)
        ]
    return [int(height) for height in heights]
