"""All colours, type sizes, spacing and radii of the screens.

The theme is dark, because the camera image is the main content and machines often stand in dim halls. Near white text
on near black keeps its contrast when a lamp reflects in the glass. There is one accent colour. It always means the
customer: it marks the person whose estimate is shown, and the button to continue.

Sizes are in units of a hundredth of the window's shorter side, so that a 7-inch 800×480 panel, a 1080×1920 column and a
4K wall show the same design. For reading from two metres a letter should be about 5 mm tall; on the usual screens of 10
to 32 inches that is `BODY`.
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
"""The background."""
SURFACE: Final = QColor("#15191C")
"""The place of an image that is missing."""
TRACK: Final = QColor("#20262A")
"""The empty part of a bar."""
TEXT: Final = QColor("#F5F6F3")
QUIET: Final = QColor("#B3BBBF")
"""Explanations, and values that are not certain yet."""
RAISED: Final = QColor("#242B30")
"""Buttons and tiles."""
PRESSED: Final = QColor("#39434A")
"""A pressed button."""
FILL: Final = QColor("#7C878D")
"""Bars other than the most likely one."""
ACCENT: Final = QColor("#8ADCC0")
ACCENT_PRESSED: Final = QColor("#B9EDDC")
ON_ACCENT: Final = QColor("#08221A")
MARK: Final = QColor("#F2C879")
"""The mark of a simulation. Nothing else is yellow."""
PAPER: Final = QColor("#FFFFFF")
"""Behind a QR code."""
VEIL: Final = QColor(8, 10, 11, 190)
"""Behind text on the live image."""
DIM: Final = QColor(8, 10, 11, 205)
"""Over an image that is no longer live."""
OVER: Final = QColor(12, 15, 17, 244)
"""Over a screen that waits for an answer."""
SHADOW: Final = QColor(8, 10, 11, 120)
"""Around lines on the live image."""
LINE: Final = QColor(245, 246, 243, 215)
"""The frame around faces other than the customer's."""

# Type sizes, in units

CAPTION: Final = 2.5
BODY: Final = 3.3
LEAD: Final = 4.0
"""Buttons and prices."""
TITLE: Final = 5.6
AMOUNT: Final = 13.0
DISPLAY: Final = 18.0

SMALLEST_PIXELS: Final = 11
"""Smaller letters are unreadable on any screen."""

# Spacing and radius, in units

GAP: Final = 1.4
SPACE: Final = 3.0
MARGIN: Final = 5.0
ROUND: Final = 2.4
"""The corner radius of buttons and tiles."""

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
"""Plain sans serif fonts with clear digits, the best first; then fonts for Chinese."""


@dataclass(frozen=True)
class Pair:
    """A text colour and a background that the screens combine."""

    name: str
    text: QColor
    background: QColor
    large: bool = False
    """At least 24 pixels, or 19 and bold. WCAG then requires a contrast of 3 instead of 4.5."""


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
    """Converts design units to pixels for one size of the window."""

    unit: float

    @classmethod
    def of(cls, size: QSize) -> Scale:
        """Returns the scale of a window of `size` pixels."""
        return cls(max(min(size.width(), size.height()), 1) / 100)

    def px(self, units: float) -> int:
        """Returns units in whole pixels, at least one."""
        return max(round(units * self.unit), 1)

    def font(self, units: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """Returns a font of this height in units."""
        font = QFont(list(families()))
        font.setStyleHint(QFont.StyleHint.SansSerif)
        font.setPixelSize(max(round(units * self.unit), SMALLEST_PIXELS))
        font.setWeight(weight)
        return font


@cache
def families() -> tuple[str, ...]:
    """Returns the installed fonts of `FAMILIES`. Asking Qt for a missing one costs time and prints a warning."""
    installed = set(QFontDatabase.families())
    general = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()
    return (*(family for family in FAMILIES if family in installed), general)


def colour_text(widget: QWidget, colour: QColor) -> None:
    """Sets the text colour of `widget`."""
    palette = widget.palette()
    if palette.color(QPalette.ColorRole.WindowText) != colour:
        palette.setColor(QPalette.ColorRole.WindowText, colour)
        widget.setPalette(palette)


def fill_ground(widget: QWidget, colour: QColor) -> None:
    """Sets the background colour of `widget`."""
    palette = widget.palette()
    palette.setColor(QPalette.ColorRole.Window, colour)
    widget.setPalette(palette)
    widget.setAutoFillBackground(True)


def blend(top: QColor, bottom: QColor) -> QColor:
    """Returns a translucent colour blended over an opaque one."""
    alpha = top.alphaF()
    return QColor.fromRgbF(
        *(
            over * alpha + under * (1 - alpha)
            for over, under in zip(top.getRgbF()[:3], bottom.getRgbF()[:3], strict=True)
        )
    )


def contrast(one: QColor, other: QColor) -> float:
    """Returns the contrast ratio of two opaque colours by WCAG 2, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def worst_contrast(text: QColor, background: QColor) -> float:
    """Returns the lowest `contrast` of a text on a translucent background over any image."""
    pictures = (QColor(0, 0, 0), QColor(255, 255, 255))
    return min(contrast(text, blend(background, picture)) for picture in pictures)


def _luminance(colour: QColor) -> float:
    red, green, blue = (_linear(channel or 0.0) for channel in colour.getRgbF()[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
