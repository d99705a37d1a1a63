"""The top of the estimate panel: the age as a large number with the gender below it, or a message instead."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QFontMetricsF, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from kiosk.ui.translations.live import Message, Strings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.theme import Scale


class BigAge(QWidget):
    """`about 34`: a small word and a large number on one baseline."""

    WIDEST = "88"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = Scale.of(QSize(800, 800))
        self.word = ""
        self.number = ""
        self.colour = theme.TEXT
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_age(self, word: str, age: int, colour: QColor) -> None:
        """Shows an age in years, with a word such as `about` before it."""
        if (word, str(age), colour) != (self.word, self.number, self.colour):
            self.word, self.number, self.colour = word, str(age), colour
            self.setAccessibleName(f"{word} {age}")
            self.update()

    def rescale(self, scale: Scale) -> None:
        """Uses these sizes from now on."""
        self._scale = scale
        self.updateGeometry()
        self.update()

    @property
    def _number_font(self) -> QFont:
        return self._scale.font(theme.DISPLAY, QFont.Weight.DemiBold)

    @property
    def _word_font(self) -> QFont:
        return self._scale.font(theme.BODY)

    def sizeHint(self) -> QSize:  # noqa: N802
        number, word = QFontMetrics(self._number_font), QFontMetrics(self._word_font)
        width = word.horizontalAdvance(self.word) + self._scale.px(theme.GAP)
        width += number.horizontalAdvance(self.number or self.WIDEST)
        # a line's height includes space for accents, which digits do not have
        return QSize(width, number.capHeight() + self._scale.px(1.0))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        baseline = self.height() - self._scale.unit * 0.5
        painter.setFont(self._word_font)
        painter.setPen(theme.QUIET)
        painter.drawText(QPointF(0, baseline), self.word)
        left = QFontMetricsF(self._word_font).horizontalAdvance(self.word) + self._scale.px(theme.GAP)
        painter.setFont(self._number_font)
        painter.setPen(self.colour)
        painter.drawText(QPointF(left, baseline), self.number)


class EstimatePage(QWidget):
    """Age and gender."""

    def __init__(self, strings: Strings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strings = strings

        # Widgets
        self.age = BigAge(self)
        self.gender = QLabel(self)
        self.probability = QLabel(self)
        self.probability.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

        # Layout
        self._row = QHBoxLayout()
        self._row.addWidget(self.gender, 1)
        self._row.addWidget(self.probability)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addStretch(1)
        self._box.addWidget(self.age)
        self._box.addStretch(1)
        self._box.addLayout(self._row)

    def show_estimate(self, age: int, gender: str, probability: float, *, certain: bool) -> None:
        """Shows age and gender, in near white if `certain`, else in gray."""
        self.age.set_age(self._strings.about(), age, theme.TEXT if certain else theme.QUIET)
        self.gender.setText(self._strings.gender(gender))
        self.probability.setText(self._strings.percent(probability))
        theme.colour_text(self.gender, theme.TEXT if certain else theme.QUIET)
        theme.colour_text(self.probability, theme.QUIET)

    def forget(self) -> None:
        """Removes age and gender."""
        self.age.set_age("", 0, theme.QUIET)
        for label in (self.gender, self.probability):
            label.clear()

    def rescale(self, scale: Scale) -> None:
        """Uses these sizes from now on."""
        self.age.rescale(scale)
        self.gender.setFont(scale.font(theme.TITLE, QFont.Weight.DemiBold))
        self.probability.setFont(scale.font(theme.TITLE))
        self._row.setSpacing(scale.px(theme.GAP))
        self._box.setSpacing(scale.px(theme.SPACE))


class SentencePage(QWidget):
    """A title and a text that says what to do."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)

        # Widgets
        self.title = QLabel(self)
        self.text = QLabel(self)
        for label, colour in ((self.title, theme.TEXT), (self.text, theme.QUIET)):
            label.setWordWrap(True)
            theme.colour_text(label, colour)

        # Layout
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addWidget(self.title)
        self._box.addWidget(self.text)
        self._box.addStretch(1)

    def set_text(self, message: Message) -> None:
        """Shows a message."""
        self.title.setText(message.title)
        self.text.setText(message.text)

    def rescale(self, scale: Scale) -> None:
        """Uses these sizes from now on."""
        self.title.setFont(scale.font(theme.TITLE, QFont.Weight.DemiBold))
        self.text.setFont(scale.font(theme.BODY))
        self._box.setSpacing(scale.px(theme.GAP))
