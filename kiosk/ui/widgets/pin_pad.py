"""The pad on which staff type a PIN: dots for what was typed, never a digit."""

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
"""By columns; `<` erases, `!` confirms."""


class Dots(QWidget):
    """How many digits were typed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.count = 0

    def show_count(self, count: int) -> None:
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
    """Twelve keys."""

    entered = pyqtSignal(str)
    typed = pyqtSignal(int)
    """How many digits there are now."""
    touched = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._pin = ""
        self.keys: dict[str, Button] = {}
        for key in LAYOUTS[3]:
            button = Button(self, ButtonStyle.PRIMARY if key == "!" else ButtonStyle.PLAIN)
            button.clicked.connect(self._slot(key))
            self.keys[key] = button
        for key, sign in (("<", "backspace"), ("!", "check")):
            self.keys[key].show_sign(sign)
        for digit in "0123456789":
            self.keys[digit].say(digit)
        self._renew()

    def name_keys(self, erase: str, confirm: str) -> None:
        self.keys["<"].setAccessibleName(erase)
        self.keys["!"].setAccessibleName(confirm)

    def clear(self) -> None:
        self._pin = ""
        self._renew()

    def set_open(self, is_open: bool) -> None:
        """Whether a PIN is looked at now."""
        self.setEnabled(is_open)

    def columns_for(self, width: int, height: int, look: DisplayMetrics) -> int:
        """The best of the layouts for a room."""
        gap = look.px(theme.GAP)
        for columns in (3, 4, 6):
            rows = 12 // columns
            if (look.touch + gap) * columns - gap <= width and (look.touch + gap) * rows - gap <= height:
                return columns
        return 4

    def arrange(self, columns: int, look: DisplayMetrics) -> None:
        """Fill the pad's own rectangle."""
        rows, gap = 12 // columns, look.px(theme.GAP)
        width = (self.width() - gap * (columns - 1)) / columns
        height = (self.height() - gap * (rows - 1)) / rows
        for index, key in enumerate(LAYOUTS[columns]):
            left, top = index % columns * (width + gap), index // columns * (height + gap)
            place = QRect(round(left), round(top), round(left + width) - round(left), round(top + height) - round(top))
            self.keys[key].setGeometry(place)
            self.keys[key].rescale(look)

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
