"""How large things are on this screen, for this customer: units, text, and what a finger needs.

A touch target is never smaller than 15 mm, whatever the design's units say. Millimetres come from the screen's own
density or, because many panels do not know theirs, from a setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets.theme import Scale

TARGET_MM: Final = 15.0
"""Least side of anything that is touched: twice a fingertip, for wet hands and gloves."""
TARGET_UNITS: Final = 10.5
"""The same on a screen so large that 15 mm would look lost on it."""
LARGE_TEXT: Final = 1.3
MM_PER_INCH: Final = 25.4
BELIEVABLE_DPI: Final = (40.0, 400.0)
"""A screen that claims to be denser or coarser does not know its size."""
USUAL_DPI: Final = 110.0


@dataclass(frozen=True)
class DisplayMetrics:
    """Everything that a layout has to know beside its own size."""

    scale: Scale
    """Of spaces, signs and lines."""
    text: Scale
    """Of letters."""
    touch: int
    """Least side of a target, in pixels."""
    upright: bool
    """Whether the window is taller than wide."""
    low: bool = False
    """Whether every control has to be in the window's lower half."""

    @classmethod
    def of(cls, size: QSize, pixels_per_mm: float, *, large_text: bool = False, low: bool = False) -> DisplayMetrics:
        scale = Scale.of(size)
        text = Scale(scale.unit * LARGE_TEXT) if large_text else scale
        touch = max(round(TARGET_MM * pixels_per_mm), scale.px(TARGET_UNITS))
        # a density that cannot be meant: a setting meant for another screen must not push everything out of this one
        touch = min(touch, min(size.width(), size.height()) // 5)
        return cls(scale, text, touch, size.height() > size.width(), low)

    def px(self, units: float) -> int:
        return self.scale.px(units)


def pixels_per_mm(widget: QWidget) -> float:
    """Density of the screen that `widget` is on, in Qt's pixels; a usual one where the screen's is not believable."""
    screen = widget.screen()
    dpi = screen.physicalDotsPerInch() if screen is not None else 0.0
    low, high = BELIEVABLE_DPI
    return (dpi if low <= dpi <= high else USUAL_DPI) / MM_PER_INCH
