"""The sizes for this screen and this customer: design units, text, and touch targets.

A touch target is never smaller than 15 mm. Millimetres are computed from the screen's density or, because many panels
report a wrong one, from a setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets.theme import Scale

TARGET_MM: Final = 15.0
"""The smallest side of a touch target: twice a fingertip, for wet hands and gloves."""
TARGET_UNITS: Final = 10.5
"""The same in design units, for large screens, on which 15 mm would look lost."""
LARGE_TEXT: Final = 1.3
MM_PER_INCH: Final = 25.4
BELIEVABLE_DPI: Final = (40.0, 400.0)
"""A screen that reports a density outside this range does not know its size."""
USUAL_DPI: Final = 110.0


@dataclass(frozen=True)
class DisplayMetrics:
    """Everything that a layout needs besides its own size."""

    scale: Scale
    """The scale of spaces, icons and lines."""
    text: Scale
    """The scale of text."""
    touch: int
    """The smallest side of a touch target, in pixels."""
    upright: bool
    """Whether the window is taller than wide."""
    low: bool = False
    """Whether all controls must be in the window's lower half."""

    @classmethod
    def of(cls, size: QSize, pixels_per_mm: float, *, large_text: bool = False, low: bool = False) -> DisplayMetrics:
        """Returns the metrics of a window of `size` pixels."""
        scale = Scale.of(size)
        text = Scale(scale.unit * LARGE_TEXT) if large_text else scale
        touch = max(round(TARGET_MM * pixels_per_mm), scale.px(TARGET_UNITS))
        # A density set for another screen must not push everything out of this one.
        touch = min(touch, min(size.width(), size.height()) // 5)
        return cls(scale, text, touch, size.height() > size.width(), low)

    def px(self, units: float) -> int:
        """Returns design units in whole pixels."""
        return self.scale.px(units)


def pixels_per_mm(widget: QWidget) -> float:
    """Returns the pixels per millimetre of the screen of `widget`; a usual value if the screen reports a wrong one."""
    screen = widget.screen()
    dpi = screen.physicalDotsPerInch() if screen is not None else 0.0
    low, high = BELIEVABLE_DPI
    return (dpi if low <= dpi <= high else USUAL_DPI) / MM_PER_INCH
