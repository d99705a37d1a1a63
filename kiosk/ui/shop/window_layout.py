"""How the window is divided: the mark on top, the live picture above or beside the screen, the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PyQt6.QtCore import QRect, QSize

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.metrics import DisplayMetrics

SHARES: Final = {True: (0.30, 0.46), False: (0.34, 0.48)}
"""The live picture's share of an upright and of a lying window; and while an age is checked, which it is all about."""


@dataclass(frozen=True)
class WindowLayout:
    """In the window's pixels."""

    mark: QRect
    panel: QRect
    """Empty where there is no live picture."""
    screen: QRect
    reach: int
    """In the screen's own pixels, below which all controls have to be."""


def places_for(size: QSize, metrics: DisplayMetrics, *, mark: int, pictured: bool, checking: bool) -> WindowLayout:
    """`mark`: height of its text, 0 for none."""
    gap = metrics.px(theme.GAP)
    top = mark + 2 * gap if mark else gap
    panel = QRect()
    screen = QRect(0, top, size.width(), size.height() - top)
    share = SHARES[metrics.upright][checking]
    if pictured and metrics.upright:
        # in reach means: the screen in the lower half, the picture has the upper one
        bottom = round(size.height() * (max(share, 0.5) if metrics.low else share))
        panel = QRect(0, top, size.width(), bottom - top)
        screen.setTop(bottom)
    elif pictured:
        panel = QRect(0, top, round(size.width() * share), screen.height())
        screen.setLeft(panel.width())
    reach = max(size.height() // 2 - screen.top(), 0) if metrics.low else 0
    return WindowLayout(QRect(gap, gap, size.width() - 2 * gap, mark), panel, screen, reach)
