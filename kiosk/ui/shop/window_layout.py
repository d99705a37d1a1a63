"""Divides the window: the simulation mark on top, the live picture above or beside the screen, and the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PyQt6.QtCore import QRect, QSize

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.metrics import DisplayMetrics

PANEL_SHARES: Final = {True: (0.30, 0.46), False: (0.34, 0.48)}
"""The live picture's share of the window, by whether it is upright: usually, and during an age check."""


@dataclass(frozen=True)
class WindowLayout:
    """Rectangles in pixels of the window."""

    mark: QRect
    panel: QRect
    """Empty without a live picture."""
    screen: QRect
    reach: int
    """In pixels of the screen: no control may be above this line."""


def window_layout(
    size: QSize, metrics: DisplayMetrics, *, mark_height: int, has_panel: bool, is_checking: bool
) -> WindowLayout:
    """Return the layout of a window of `size` pixels.

    `mark_height` is in pixels, 0 without a mark. `is_checking` makes the live picture larger, for an age check.
    """
    gap = metrics.px(theme.GAP)
    top = mark_height + 2 * gap if mark_height else gap
    panel = QRect()
    screen = QRect(0, top, size.width(), size.height() - top)
    share = PANEL_SHARES[metrics.upright][is_checking]
    if has_panel and metrics.upright:
        # With low reach the screen takes the lower half and the picture the upper one.
        bottom = round(size.height() * (max(share, 0.5) if metrics.low else share))
        panel = QRect(0, top, size.width(), bottom - top)
        screen.setTop(bottom)
    elif has_panel:
        panel = QRect(0, top, round(size.width() * share), screen.height())
        screen.setLeft(panel.width())
    reach = max(size.height() // 2 - screen.top(), 0) if metrics.low else 0
    return WindowLayout(QRect(gap, gap, size.width() - 2 * gap, mark_height), panel, screen, reach)
