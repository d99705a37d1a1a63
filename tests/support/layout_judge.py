"""Finds layout faults of a window: clipped, overlapping, too small to touch or with too little contrast."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QFontMetrics
from PyQt6.QtWidgets import QAbstractButton, QLabel, QWidget

from kiosk.ui.products.carousel import ProductCarousel
from kiosk.ui.products.images import Picture
from kiosk.ui.service.fact_table import FactTable
from kiosk.ui.service.pin_dialog import PinDialog
from kiosk.ui.shop.screens.age_check import Ring
from kiosk.ui.shop.screens.done import ReceiptRows
from kiosk.ui.shop.screens.product import Badge
from kiosk.ui.shop.still_there import Countdown
from kiosk.ui.shop.window import ShopWindow
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import AnimatedIcon
from kiosk.ui.widgets.pin_pad import Dots
from kiosk.ui.widgets.qr_code import QrCode
from kiosk.ui.widgets.text import Text, fits
from kiosk.ui.widgets.theme import SMALLEST_PIXELS

VISIBLE_PARTS = (
    QAbstractButton,
    Text,
    AnimatedIcon,
    Ring,
    Picture,
    QrCode,
    ReceiptRows,
    Badge,
    Dots,
    Countdown,
    ProductCarousel,
    FactTable,
)
MIN_CONTRAST = 4.5
MIN_PICTURE_SIDE = 20
"""Pixels. A smaller picture was squeezed by its neighbours."""


def place(widget: QWidget, window: QWidget) -> QRect:
    """Return the rectangle of `widget` in pixels of `window`."""
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def visible_parts(window: ShopWindow) -> list[QWidget]:
    """Return all visible parts. If a dialog covers the window, return only the parts of the dialog."""
    over = [window.still_there, *window.findChildren(PinDialog)]
    root: QWidget = next((each for each in over if each.isVisible()), window)
    parts = [part for part in root.findChildren(QWidget) if isinstance(part, VISIBLE_PARTS) and part.isVisible()]
    return [part for part in parts if not (isinstance(part, Text) and not part.text)]


def targets(window: ShopWindow) -> list[QAbstractButton]:
    """Return all visible buttons."""
    return [part for part in visible_parts(window) if isinstance(part, QAbstractButton)]


def faults(window: ShopWindow) -> list[str]:
    """Return one sentence for each layout fault of the window."""
    return [*_clipped(window), *_overlapping(window), *_untouchable(window), *_labels(window)]


def _name(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.accessibleName()!r}"


def _clipped(window: ShopWindow) -> Iterator[str]:
    for part in visible_parts(window):
        where = place(part, window)
        if not isinstance(part, ProductCarousel) and not window.rect().contains(where):
            yield f"{_name(part)} at {where.getRect()} extends beyond the window"
        if (
            isinstance(part, AnimatedIcon | Ring | Picture | QrCode | Countdown)
            and min(part.width(), part.height()) < MIN_PICTURE_SIDE
        ):
            yield f"{_name(part)} is only {part.width()}×{part.height()}"
        for placed in getattr(part, "placed_texts", []):
            if not fits(placed.font, placed.text, placed.place.size(), wrap=placed.wrap):
                yield f"{placed.text!r} does not fit {placed.place.width()}×{placed.place.height()}"
            if not part.rect().contains(placed.place):
                yield f"{placed.text!r} at {placed.place.getRect()} extends beyond {_name(part)}"
            if placed.font.pixelSize() < SMALLEST_PIXELS:
                yield f"{placed.text!r} is too small"
            if theme.worst_contrast(placed.colour, placed.ground) < MIN_CONTRAST:
                yield f"{placed.text!r} has too little contrast"
        for one, other in combinations(getattr(part, "placed_texts", []), 2):
            if one.place.intersects(other.place):
                yield f"{one.text!r} and {other.text!r} overlap"


def _overlapping(window: ShopWindow) -> Iterator[str]:
    # A part may contain others, as a PIN pad contains its keys.
    for one, other in combinations(visible_parts(window), 2):
        if one.isAncestorOf(other) or other.isAncestorOf(one):
            continue
        if place(one, window).intersects(place(other, window)):
            yield f"{_name(one)} and {_name(other)} overlap"


def _untouchable(window: ShopWindow) -> Iterator[str]:
    metrics = window.metrics
    for target in targets(window):
        where = place(target, window)
        if min(where.width(), where.height()) < metrics.touch:
            yield f"{_name(target)} is {where.width()}×{where.height()}, but a finger needs {metrics.touch}"
        if metrics.low and where.top() < window.height() // 2 - 1:
            yield f"{_name(target)} is out of reach: it begins at {where.top()} of {window.height()}"
        if not target.accessibleName():
            yield f"a {type(target).__name__} has no name"


def _labels(window: ShopWindow) -> Iterator[str]:
    """Check the labels of the estimate and the live picture, which are Qt's own."""
    if not window.still_there.isHidden():
        return
    for label in window.panel.findChildren(QLabel):
        if not label.isVisible() or not label.text():
            continue
        inner = label.contentsRect()
        flags = Qt.TextFlag.TextWordWrap if label.wordWrap() else Qt.TextFlag(0)
        needed = QFontMetrics(label.font()).boundingRect(0, 0, inner.width(), 10_000, int(flags), label.text())
        if needed.width() > inner.width() or needed.height() > inner.height():
            yield f"label {label.text()!r} needs {needed.width()}×{needed.height()} of {inner.width()}×{inner.height()}"
        if not window.panel.rect().contains(place(label, window.panel)):
            yield f"label {label.text()!r} extends beyond the panel"
