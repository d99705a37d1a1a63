"""The keypad for a PIN. It shows dots for the typed digits, never the digits."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QRect, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button, ButtonStyle
from kiosk.ui.widgets.metrics import DisplayMetrics

LONGEST = 12
SHORTEST = 4
LAYOUTS = {4: "123<4560789!", 6: "12345<67890!", 3: "123456789<0!"}
"""The keys by number of columns; `<` erases, `!` confirms."""


class Dots(QWidget):
    """Shows the number of typed digits."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.count = 0

    def show_count(self, count: int) -> None:
        """Shows `count` filled dots."""
        if count != self.count:
            self.count = count
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        side = min(self.height() * 0.5, self.width() / (LONGEST * 1.7))
        slots = max(self.count, SHORTEST)
        left = self.width() / 2 - (slots * 1.7 - 0.7) * side / 2
        for index in range(slots):
            painter.setBrush(theme.TEXT if index < self.count else theme.PRESSED)
            painter.drawEllipse(QRectF(left + index * 1.7 * side, (self.height() - side) / 2, side, side))


class PinPad(QWidget):
    """A keypad of twelve keys. Emits `entered` with the PIN, `typed` and `touched`."""

    entered = pyqtSignal(str)
    typed = pyqtSignal(int)
    """The number of digits typed so far."""
    touched = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._pin = ""
        self.keys: dict[str, Button] = {}
        for key in LAYOUTS[3]:
            button = Button(self, ButtonStyle.PRIMARY if key == "!" else ButtonStyle.PLAIN)
            button.clicked.connect(self._slot(key))
            self.keys[key] = button
        for key, icon in (("<", "backspace"), ("!", "check")):
            self.keys[key].set_icon(icon)
        for digit in "0123456789":
            self.keys[digit].set_text(digit)
        self._renew()

    def name_keys(self, erase: str, confirm: str) -> None:
        """Sets the accessible names of the keys to erase and to confirm."""
        self.keys["<"].setAccessibleName(erase)
        self.keys["!"].setAccessibleName(confirm)

    def clear(self) -> None:
        """Forgets the typed digits."""
        self._pin = ""
        self._renew()

    def set_open(self, is_open: bool) -> None:
        """Sets whether a PIN can be typed now."""
        self.setEnabled(is_open)

    def columns_for(self, width: int, height: int, metrics: DisplayMetrics) -> int:
        """Returns the number of columns that fits best into this space, in pixels."""
        gap = metrics.px(theme.GAP)
        for columns in (3, 4, 6):
            rows = 12 // columns
            if (metrics.touch + gap) * columns - gap <= width and (metrics.touch + gap) * rows - gap <= height:
                return columns
        return 4

    def arrange(self, columns: int, metrics: DisplayMetrics) -> None:
        """Places the keys in the pad's rectangle."""
        rows, gap = 12 // columns, metrics.px(theme.GAP)
        width = (self.width() - gap * (columns - 1)) / columns
        height = (self.height() - gap * (rows - 1)) / rows
        for index, key in enumerate(LAYOUTS[columns]):
            left, top = index % columns * (width + gap), index // columns * (height + gap)
            place = QRect(round(left), round(top), round(left + width) - round(left), round(top + height) - round(top))
            self.keys[key].setGeometry(place)
            self.keys[key].rescale(metrics)

    # Slots

    def _slot(self, key: str) -> Callable[[], None]:
        return lambda: self._on_key(key)

    def _on_key(self, key: str) -> None:
        self.touched.emit()
        if key == "!":
            pin, self._pin = self._pin, ""
            self._renew()
            self.entered.emit(pin)
        elif key == "<":
            self._pin = self._pin[:-1]
            self._renew()
        elif len(self._pin) < LONGEST:
            self._pin += key
            self._renew()

    def _renew(self) -> None:
        self.keys["!"].setEnabled(len(self._pin) >= SHORTEST)
        self.keys["<"].setEnabled(bool(self._pin))
        self.typed.emit(len(self._pin))
