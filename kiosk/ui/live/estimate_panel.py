"""The estimate beside the picture: whom it speaks of, age, gender, the age groups, and a promise."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import (
    QWIDGETSIZE_MAX,
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from kiosk.estimate import AgeGroup, Estimate, FaceObservation
from kiosk.ui.live.age_bars import AgeBars
from kiosk.ui.live.headline import EstimatePage, SentencePage
from kiosk.ui.translations.live import Message, Strings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.animation import steady
from kiosk.ui.widgets.icons import Finder
from kiosk.ui.widgets.theme import Scale

PAGE = 24.5
"""Height of number and gender, or of the sentence in their place, in units."""


class EstimatePanel(QWidget):
    """Speaks of one face, or says why it speaks of none.

    Known: the numbers, near white, the likeliest group in the accent colour. Estimating: the same
    numbers in gray, and the heading says so. Unknown, or nobody there: a sentence, and empty bars.
    """

    def __init__(self, words: Strings, groups: Sequence[AgeGroup], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._track: int | None = None
        self._age: int | None = None

        # Widgets
        self.finder = Finder(theme.QUIET, self)
        self.heading = QLabel(self)
        self.estimate_page = EstimatePage(words, self)
        self.sentence_page = SentencePage(self)
        self.bars = AgeBars(words, groups, self)
        self.privacy = QLabel(self)
        self.privacy.setWordWrap(True)

        # Appearance
        theme.fill_ground(self, theme.GROUND)
        theme.colour_text(self.heading, theme.QUIET)
        theme.colour_text(self.privacy, theme.QUIET)

        # Layout
        self._head = QHBoxLayout()
        self._head.addWidget(self.finder)
        self._head.addWidget(self.heading, 1)
        self.pages = QWidget(self)
        self._pages = QStackedLayout(self.pages)
        self._pages.addWidget(self.sentence_page)
        self._pages.addWidget(self.estimate_page)
        self._hero = QVBoxLayout()
        self._hero.addLayout(self._head)
        self._hero.addWidget(self.pages, 1)
        self._body = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._body.addLayout(self._hero)
        self._body.addWidget(self.bars, 1)
        self._box = QVBoxLayout(self)
        self._box.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)  # the window says how large
        self._box.addLayout(self._body, 1)
        self._box.addWidget(self.privacy)

        self.show_sentence(words.invitation())

    # What to show

    def show_sentence(self, message: Message) -> None:
        """Nobody to speak of."""
        self._head_line(self._words.heading(0), linked=False)
        self._say(message)

    def show_face(self, face: FaceObservation, faces: int = 1) -> None:
        """Speak of `face`, one of `faces`."""
        if face.track != self._track:
            self._track, self._age = face.track, None
        if face.status == "unknown" or face.estimate is None:
            self._head_line(self._words.heading(faces), linked=True)
            self._say(self._words.unknown() if face.status == "unknown" else self._words.first_look())
            return
        certain = face.status == "known"
        self._head_line(self._words.heading(faces) if certain else self._words.estimating(), linked=True)
        self._show_estimate(face.estimate, certain=certain)

    def _head_line(self, text: str, *, linked: bool) -> None:
        self.heading.setText(text)
        self.finder.set_colour(theme.ACCENT if linked else theme.QUIET)

    def _say(self, message: Message) -> None:
        self._age = None
        self.sentence_page.say(message)
        self._pages.setCurrentWidget(self.sentence_page)
        self.bars.rest()

    def _show_estimate(self, estimate: Estimate, *, certain: bool) -> None:
        self._age = steady(self._age, estimate.expected_age)
        self.estimate_page.show_estimate(self._age, estimate.gender, estimate.gender_probability, certain=certain)
        self._pages.setCurrentWidget(self.estimate_page)
        self.bars.show_estimate(estimate, certain=certain)

    def forget(self) -> None:
        """Nothing of whom it spoke of stays, not even on the way to the next."""
        self._track = None
        self.show_sentence(self._words.invitation())
        self.estimate_page.forget()
        self.bars.forget()

    def advance(self, seconds: float) -> None:
        """Move the bars on by `seconds`."""
        self.bars.advance(seconds)

    # Size

    def rescale(self, scale: Scale, *, upright: bool, bars: bool = True) -> None:
        """Below the picture (`upright`) age and bars stand side by side, beside it one above the other.

        Where there is no room for `bars`, number and gender stand alone.
        """
        self.bars.setVisible(bars)
        self.finder.setFixedSize(scale.px(theme.TITLE * 0.7), scale.px(theme.TITLE * 0.7))
        self.heading.setFont(scale.font(theme.BODY, QFont.Weight.Medium))
        self.privacy.setFont(scale.font(theme.CAPTION))
        for part in (self.estimate_page, self.sentence_page, self.bars):
            part.rescale(scale)
        self.privacy.setText((" " if upright else "\n").join(self._words.privacy()))
        # above the bars it has one height in every state, so that they stay where they are
        self.pages.setMinimumHeight(scale.px(PAGE))
        self.pages.setMaximumHeight(QWIDGETSIZE_MAX if upright else scale.px(PAGE))
        margin = scale.px(theme.MARGIN)
        self._box.setContentsMargins(margin, margin, margin, margin)
        self._box.setSpacing(scale.px(theme.SPACE))
        self._head.setSpacing(scale.px(theme.GAP))
        self._hero.setSpacing(scale.px(theme.SPACE))
        self._body.setSpacing(scale.px(theme.MARGIN if upright else theme.SPACE))
        self._body.setDirection(QBoxLayout.Direction.LeftToRight if upright else QBoxLayout.Direction.TopToBottom)
        self._body.setStretch(0, 4 if upright else 0)
        self._body.setStretch(1, 5 if upright else 1 if bars else 0)
