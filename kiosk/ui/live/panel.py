"""The live picture and what is estimated of it, side by side or one above the other, as the room allows."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QWidget

from kiosk.estimate import AgeGroup, Observation
from kiosk.ui.live.estimate_panel import EstimatePanel
from kiosk.ui.live.mapping import nearest
from kiosk.ui.live.view import LiveView
from kiosk.ui.translations.live import Strings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.theme import Scale
from kiosk.vision.process.messages import Preview, VisionState

FULL, COMPACT = 88.0, 53.0
"""Height of the estimate with and without its bars, in its own units."""
FULL_WIDE, COMPACT_WIDE = 60.0, 58.0
NOTICE_WIDE = 76.0
"""What a message over the picture needs, in the picture's units."""
SMALLEST_UNIT = 3.9
"""Pixels; the bars go before their letters get smaller than this allows."""
SHORT_OF = (VisionState.NO_CAMERA, VisionState.FAILED, VisionState.ENDED)


def show_observation(
    observation: Observation, nearest_track: int | None, view: LiveView, panel: EstimatePanel, strings: Strings
) -> int | None:
    """Shows all faces in `view` and the nearest one's estimate in `panel`; returns the nearest face's track.

    `nearest_track` is the track that was the nearest one before. Without a face the panel shows the invitation.
    """
    face = nearest(observation.faces, nearest_track)
    track = face.track if face else None
    view.set_faces(observation.faces, track)
    if face is None:
        panel.show_sentence(strings.invitation())
    else:
        panel.show_face(face, len(observation.faces))
    return track


class LivePanel(QWidget):
    """Shows people only to whoever chose to shop with the camera."""

    def __init__(
        self, words: Strings, shop_words: ShopStrings, groups: Sequence[AgeGroup], parent: QWidget, *, mirrored: bool
    ) -> None:
        super().__init__(parent)
        self._words = words
        self._shop_words = shop_words
        self._nearest: int | None = None
        self._state: VisionState | None = None

        # Widgets
        self.view = LiveView(words, mirrored=mirrored, parent=self)
        self.panel = EstimatePanel(words, groups, self)

        # Appearance
        theme.fill_ground(self, theme.GROUND)
        self.hide()

    # What to show

    def show_state(self, state: VisionState) -> None:
        """How vision is, in a customer's words: what a technician wants to know is in service mode."""
        if state is self._state:
            return
        self._state = state
        away = state in SHORT_OF
        self.view.set_notice(self._shop_words.camera_away() if away else self._words.notice(state))
        if state is not VisionState.RUNNING:
            self.clear()
            self.panel.show_sentence(self._words.idle(state))
        else:
            self.panel.show_sentence(self._words.invitation())

    def show_preview(self, preview: Preview) -> None:
        if self._state is VisionState.RUNNING:
            self.view.set_preview(preview)

    def show_observation(self, observation: Observation) -> None:
        if self._state is not VisionState.RUNNING:
            return
        self._nearest = show_observation(observation, self._nearest, self.view, self.panel, self._words)

    def clear(self) -> None:
        """No face and no number of anybody stays."""
        self._nearest = None
        self.view.clear_faces()
        self.view.clear_picture()
        self.panel.forget()

    def retranslate(self) -> None:
        """Another language: say it all again."""
        state, self._state = self._state, None
        if state is not None:
            self.show_state(state)

    def advance(self, seconds: float) -> None:
        self.view.advance(seconds)
        self.panel.advance(seconds)

    # Size

    def arrange(self, look: DisplayMetrics) -> None:
        """Divide the panel's own rectangle."""
        wide = self.width() > self.height()
        if wide:
            picture = QRect(0, 0, min(self.width() // 2, round(self.height() * 1.2)), self.height())
            rest = self.rect().adjusted(picture.width(), 0, 0, 0)
        else:
            unit = min(look.scale.unit * 0.8, self.width() / COMPACT_WIDE)
            least = round(COMPACT * unit)
            high = min(max(self.height() - round(FULL * unit), self.width() * 3 // 4), self.height() - least)
            picture = QRect(0, 0, self.width(), high)
            rest = self.rect().adjusted(0, picture.height(), 0, 0)
        full = min(rest.height() / FULL, rest.width() / FULL_WIDE, look.scale.unit)
        compact = min(rest.height() / COMPACT, rest.width() / COMPACT_WIDE, look.scale.unit)
        with_bars = full >= SMALLEST_UNIT
        self.view.setGeometry(picture)
        self.panel.setGeometry(rest)
        scale = Scale(full if with_bars else compact)
        self.view.rescale(Scale(min(scale.unit, picture.width() / NOTICE_WIDE)))
        self.panel.rescale(scale, upright=False, bars=with_bars)
