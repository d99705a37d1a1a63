"""The estimate beside the live image: which face it is about, age, gender, age groups, and the privacy note."""

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
from kiosk.ui.widgets.icons import FaceFrameIcon
from kiosk.ui.widgets.theme import Scale

PAGE = 24.5
"""The height in units of age and gender, or of the message in their place."""


class EstimatePanel(QWidget):
    """Shows the estimate of one face, or a message why there is none.

    Known: the values in near white and the shown group in the accent colour. Estimating: the same in gray, with a
    heading that says so. Unknown, or nobody in view: a message and empty bars.
    """

    def __init__(self, strings: Strings, groups: Sequence[AgeGroup], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strings = strings
        self._track: int | None = None
        self._age: int | None = None

        # Widgets
        self.face_icon = FaceFrameIcon(theme.QUIET, self)
        self.heading = QLabel(self)
        self.estimate_page = EstimatePage(strings, self)
        self.sentence_page = SentencePage(self)
        self.bars = AgeBars(strings, groups, self)
        self.privacy = QLabel(self)
        self.privacy.setWordWrap(True)

        # Appearance
        theme.fill_ground(self, theme.GROUND)
        theme.colour_text(self.heading, theme.QUIET)
        theme.colour_text(self.privacy, theme.QUIET)

        # Layout
        self._head = QHBoxLayout()
        self._head.addWidget(self.face_icon)
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
        self._box.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)  # the window sets the size
        self._box.addLayout(self._body, 1)
        self._box.addWidget(self.privacy)

        self.show_sentence(strings.invitation())

    # What to show

    def show_sentence(self, message: Message) -> None:
        """Shows a message in place of an estimate."""
        self._head_line(self._strings.heading(0), linked=False)
        self._say(message)

    def show_face(self, face: FaceObservation, faces: int = 1) -> None:
        """Shows the estimate of `face`, one of `faces` in view."""
        if face.track != self._track:
            self._track, self._age = face.track, None
        if face.status == "unknown" or face.estimate is None:
            self._head_line(self._strings.heading(faces), linked=True)
            self._say(self._strings.unknown() if face.status == "unknown" else self._strings.first_look())
            return
        certain = face.status == "known"
        self._head_line(self._strings.heading(faces) if certain else self._strings.estimating(), linked=True)
        self._show_estimate(face.estimate, certain=certain)

    def _head_line(self, text: str, *, linked: bool) -> None:
        self.heading.setText(text)
        self.face_icon.set_colour(theme.ACCENT if linked else theme.QUIET)

    def _say(self, message: Message) -> None:
        self._age = None
        self.sentence_page.set_text(message)
        self._pages.setCurrentWidget(self.sentence_page)
        self.bars.show_nothing()

    def _show_estimate(self, estimate: Estimate, *, certain: bool) -> None:
        self._age = steady(self._age, estimate.expected_age)
        self.estimate_page.show_estimate(self._age, estimate.gender, estimate.gender_probability, certain=certain)
        self._pages.setCurrentWidget(self.estimate_page)
        self.bars.show_estimate(estimate, certain=certain)

    def forget(self) -> None:
        """Removes everything about the last face at once, without an animation."""
        self._track = None
        self.show_sentence(self._strings.invitation())
        self.estimate_page.forget()
        self.bars.forget()

    def advance(self, seconds: float) -> None:
        """Advances the animation by `seconds`."""
        self.bars.advance(seconds)

    # Size

    def rescale(self, scale: Scale, *, upright: bool, bars: bool = True) -> None:
        """Uses these sizes. Below the image (`upright`), age and bars are side by side; beside it, one above the other.

        Without `bars`, only age and gender are shown.
        """
        self.bars.setVisible(bars)
        self.face_icon.setFixedSize(scale.px(theme.TITLE * 0.7), scale.px(theme.TITLE * 0.7))
        self.heading.setFont(scale.font(theme.BODY, QFont.Weight.Medium))
        self.privacy.setFont(scale.font(theme.CAPTION))
        for part in (self.estimate_page, self.sentence_page, self.bars):
            part.rescale(scale)
        self.privacy.setText((" " if upright else "\n").join(self._strings.privacy()))
        # one height in every state, so that the bars below do not move
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
