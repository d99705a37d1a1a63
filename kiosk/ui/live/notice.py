"""A calm sentence over the picture, for when there is nothing live to show."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from kiosk.ui.translations.live import Message
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import Finder
from kiosk.ui.widgets.theme import Scale


class Notice(QWidget):
    """A headline, what to expect, and in small letters what a service person needs to know."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)

        # Widgets
        self.finder = Finder(theme.QUIET, self)
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
        self._box.addWidget(self.finder, 0, Qt.AlignmentFlag.AlignHCenter)
        self._box.addWidget(self.title)
        self._box.addWidget(self.text)
        self._box.addWidget(self.fault)
        self._box.addStretch(1)

    def say(self, message: Message, fault: str = "") -> None:
        self.title.setText(message.title)
        self.text.setText(message.text)
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))

    def rescale(self, scale: Scale) -> None:
        self.finder.setFixedSize(scale.px(11), scale.px(11))
        self.title.setFont(scale.font(theme.TITLE, QFont.Weight.DemiBold))
        self.text.setFont(scale.font(theme.BODY))
        self.fault.setFont(scale.font(theme.CAPTION))
        self.fault.setContentsMargins(0, scale.px(theme.SPACE), 0, 0)
        margin = scale.px(theme.MARGIN * 1.6)
        self._box.setContentsMargins(margin, margin, margin, margin)
        self._box.setSpacing(scale.px(theme.GAP))
