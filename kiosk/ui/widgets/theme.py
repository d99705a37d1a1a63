"""The one place that knows colours, type sizes, spacing and radii.

Dark, because the picture is what the screen is about and a machine often stands in a dim hall; near
white text on near black keeps its contrast where a lamp reflects in the glass. One accent colour,
and it means one thing everywhere: you. It marks the person that the estimate speaks of, and the one
touch by which a customer goes on.

Every size is in units of a hundredth of the window's shorter side, so that a 7-inch 800×480 panel, a
1080×1920 column and a 4K wall show the same design. From two metres a letter should be about 5 mm
tall; on the 10- to 32-inch screens of such machines that is the `BODY` size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from PyQt6.QtCore import QSize
from PyQt6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PyQt6.QtWidgets import QWidget

# Colours

GROUND: Final = QColor("#0C0F11")
"""Behind everything."""
SURFACE: Final = QColor("#15191C")
"""Where a picture belongs and there is none."""
TRACK: Final = QColor("#20262A")
"""The empty part of a bar."""
TEXT: Final = QColor("#F5F6F3")
QUIET: Final = QColor("#B3BBBF")
"""Text that explains, and what is not certain yet."""
RAISED: Final = QColor("#242B30")
"""What can be touched."""
PRESSED: Final = QColor("#39434A")
"""The same under a finger."""
FILL: Final = QColor("#7C878D")
"""Bars beside the most likely one."""
ACCENT: Final = QColor("#8ADCC0")
ACCENT_PRESSED: Final = QColor("#B9EDDC")
ON_ACCENT: Final = QColor("#08221A")
MARK: Final = QColor("#F2C879")
"""What is no part of the machine: that it is only a simulation. Nothing else is yellow."""
PAPER: Final = QColor("#FFFFFF")
"""Behind a QR code."""
VEIL: Final = QColor(8, 10, 11, 190)
"""Under text that lies on the live picture, whatever the picture is."""
DIM: Final = QColor(8, 10, 11, 205)
"""Over a picture that is not live any more."""
OVER: Final = QColor(12, 15, 17, 244)
"""Over a whole screen that waits for an answer."""
SHADOW: Final = QColor(8, 10, 11, 120)
"""Around a line that is drawn on the picture."""
LINE: Final = QColor(245, 246, 243, 215)
"""The frame around a face that the estimate does not speak of."""

# Type sizes, in units

CAPTION: Final = 2.5
BODY: Final = 3.3
LEAD: Final = 4.0
"""What can be touched, and prices among others."""
TITLE: Final = 5.6
AMOUNT: Final = 13.0
DISPLAY: Final = 18.0

SMALLEST_PIXELS: Final = 11
"""Below this a letter falls apart on any screen."""

# Spacing and radius, in units

GAP: Final = 1.4
SPACE: Final = 3.0
MARGIN: Final = 5.0
ROUND: Final = 2.4
"""Of what can be touched."""

FAMILIES: Final = (
    "Inter",
    "Noto Sans",
    "Open Sans",
    "Roboto",
    "Ubuntu",
    "Cantarell",
    "Liberation Sans",
    "Helvetica Neue",
    "Arial",
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
)
"""Plain, open sans serifs with a clear 1 and 7, the best first; then those that only lend their Chinese letters."""


@dataclass(frozen=True)
class Pair:
    """Text that the screens show, and what is behind it."""

    name: str
    text: QColor
    background: QColor
    large: bool = False
    """At least 24 pixels, or 19 and bold: WCAG asks 3 of it instead of 4.5."""


PAIRS: Final = (
    Pair("text on the panel", TEXT, GROUND),
    Pair("quiet text on the panel", QUIET, GROUND),
    Pair("message without a picture", TEXT, SURFACE),
    Pair("quiet message without a picture", QUIET, SURFACE),
    Pair("text on the picture", TEXT, VEIL),
    Pair("text on the accent", ON_ACCENT, ACCENT),
    Pair("message over the picture", TEXT, DIM),
    Pair("quiet message over the picture", QUIET, DIM),
    Pair("what can be touched", TEXT, RAISED),
    Pair("what is touched", TEXT, PRESSED),
    Pair("what can be touched, explained", QUIET, RAISED),
    Pair("what is touched, explained", QUIET, PRESSED),
    Pair("the way on, touched", ON_ACCENT, ACCENT_PRESSED),
    Pair("what is chosen", GROUND, TEXT),
    Pair("what cannot be touched", QUIET, SURFACE),
    Pair("mark of a simulation", MARK, GROUND),
    Pair("question over a screen", TEXT, OVER),
    Pair("question over a screen, explained", QUIET, OVER),
)


@dataclass(frozen=True)
class Scale:
    """Units to pixels, for one size of the window."""

    unit: float

    @classmethod
    def of(cls, size: QSize) -> Scale:
        return cls(max(min(size.width(), size.height()), 1) / 100)

    def px(self, units: float) -> int:
        """Whole pixels, at least one."""
        return max(round(units * self.unit), 1)

    def font(self, units: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        font = QFont(list(families()))
        font.setStyleHint(QFont.StyleHint.SansSerif)
        font.setPixelSize(max(round(units * self.unit), SMALLEST_PIXELS))
        font.setWeight(weight)
        return font


@cache
def families() -> tuple[str, ...]:
    """Those of `FAMILIES` that are installed: asking Qt for a missing one costs a search and a warning."""
    installed = set(QFontDatabase.families())
    general = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()
    return (*(family for family in FAMILIES if family in installed), general)


def colour_text(widget: QWidget, colour: QColor) -> None:
    """Draw `widget`'s text in `colour`."""
    palette = widget.palette()
    if palette.color(QPalette.ColorRole.WindowText) != colour:
        palette.setColor(QPalette.ColorRole.WindowText, colour)
        widget.setPalette(palette)


def fill_ground(widget: QWidget, colour: QColor) -> None:
    """Fill `widget` with `colour` before it paints."""
    palette = widget.palette()
    palette.setColor(QPalette.ColorRole.Window, colour)
    widget.setPalette(palette)
    widget.setAutoFillBackground(True)


def blend(top: QColor, bottom: QColor) -> QColor:
    """Lay a translucent colour over an opaque one."""
    alpha = top.alphaF()
    return QColor.fromRgbF(
        *(
            over * alpha + under * (1 - alpha)
            for over, under in zip(top.getRgbF()[:3], bottom.getRgbF()[:3], strict=True)
        )
    )


def contrast(one: QColor, other: QColor) -> float:
    """WCAG 2's contrast ratio of two opaque colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def worst_contrast(text: QColor, background: QColor) -> float:
    """`contrast`; where the background lets a picture through, over the worst picture there is."""
    pictures = (QColor(0, 0, 0), QColor(255, 255, 255))
    return min(contrast(text, blend(background, picture)) for picture in pictures)


def _luminance(colour: QColor) -> float:
    red, green, blue = (_linear(channel or 0.0) for channel in colour.getRgbF()[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
