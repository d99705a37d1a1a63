"""A QR code that is sharp at any size."""

from __future__ import annotations

import segno
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme

QUIET_ZONE = 4
"""The width of the white border, in modules (ISO/IEC 18004)."""


class QrCode(QWidget):
    """A QR code in black on white, as scanners expect."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.text = ""
        self._rows: tuple[bytearray, ...] = ()

    def show_text(self, text: str) -> None:
        """Encodes `text`; an empty text shows nothing."""
        if text != self.text:
            self.text = text
            self._rows = segno.make(text, micro=False, error="m", encoding="utf-8").matrix if text else ()
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        if not self._rows:
            return
        modules = len(self._rows) + 2 * QUIET_ZONE
        pixels = min(self.width(), self.height()) * self.devicePixelRatioF()
        module = max(int(pixels / modules), 1) / self.devicePixelRatioF()  # whole pixels, or edges blur
        side = module * modules
        left, top = int((self.width() - side) / 2), int((self.height() - side) / 2)
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.PAPER)
        painter.drawRoundedRect(QRectF(left, top, side, side), module, module)
        painter.setBrush(Qt.GlobalColor.black)
        for y, line in enumerate(self._rows, QUIET_ZONE):
            for x, dark in enumerate(line, QUIET_ZONE):
                if dark:
                    painter.drawRect(QRectF(left + x * module, top + y * module, module, module))
