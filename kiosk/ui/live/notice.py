"""A message over the image, shown while there is no live image."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from kiosk.ui.translations.live import Message
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import FaceFrameIcon
from kiosk.ui.widgets.theme import Scale


class Notice(QWidget):
    """A title, a text, and in small letters a fault for the service staff."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)

        # Widgets
        self.face_icon = FaceFrameIcon(theme.QUIET, self)
        self.title = QLabel(self)
        self.text = QLabel(self)
        self.fault = QLabel(self)
        for label, colour in ((self.title, theme.TEXT), (self.text, theme.QUIET), (self.fault, theme.QUIET)):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            theme.colour_text(label, colour)

        # Layout
        self._box = QVBoxLayout(self)
        self._box.addStretch(1)
        self._box.addWidget(self.face_icon, 0, Qt.AlignmentFlag.AlignHCenter)
        self._box.addWidget(self.title)
        self._box.addWidget(self.text)
        self._box.addWidget(self.fault)
        self._box.addStretch(1)

    def set_text(self, message: Message, fault: str = "") -> None:
        """Shows a message and a fault; an empty fault is hidden."""
        self.title.setText(message.title)
        self.text.setText(message.text)
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))

    def rescale(self, scale: Scale) -> None:
        """Uses these sizes from now on."""
        self.face_icon.setFixedSize(scale.px(11), scale.px(11))
        self.title.setFont(scale.font(theme.TITLE, QFont.Weight.DemiBold))
        self.text.setFont(scale.font(theme.BODY))
        self.fault.setFont(scale.font(theme.CAPTION))
        self.fault.setContentsMargins(0, scale.px(theme.SPACE), 0, 0)
        margin = scale.px(theme.MARGIN * 1.6)
        self._box.setContentsMargins(margin, margin, margin, margin)
        self._box.setSpacing(scale.px(theme.GAP))
