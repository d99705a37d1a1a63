"""The live image and the estimate, side by side or one above the other."""

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
"""The height of the estimate in its units, with and without its bars."""
FULL_WIDE, COMPACT_WIDE = 60.0, 58.0
NOTICE_WIDE = 76.0
"""The width of a message over the image, in the image's units."""
SMALLEST_UNIT = 3.9
"""Pixels per unit. The bars are hidden before their text would get smaller."""
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
    """Shows the live image and the estimate, only to a customer who chose to shop with the camera."""

    def __init__(
        self,
        strings: Strings,
        shop_strings: ShopStrings,
        groups: Sequence[AgeGroup],
        parent: QWidget,
        *,
        mirrored: bool,
    ) -> None:
        super().__init__(parent)
        self._strings = strings
        self._shop_strings = shop_strings
        self._nearest: int | None = None
        self._state: VisionState | None = None

        # Widgets
        self.view = LiveView(strings, mirrored=mirrored, parent=self)
        self.panel = EstimatePanel(strings, groups, self)

        # Appearance
        theme.fill_ground(self, theme.GROUND)
        self.hide()

    # What to show

    def show_state(self, state: VisionState) -> None:
        """Shows the state of vision in words for a customer. Details are in service mode."""
        if state is self._state:
            return
        self._state = state
        away = state in SHORT_OF
        self.view.set_notice(self._shop_strings.camera_away() if away else self._strings.notice(state))
        if state is not VisionState.RUNNING:
            self.clear()
            self.panel.show_sentence(self._strings.idle(state))
        else:
            self.panel.show_sentence(self._strings.invitation())

    def show_preview(self, preview: Preview) -> None:
        """Shows a new image, while vision runs."""
        if self._state is VisionState.RUNNING:
            self.view.set_preview(preview)

    def show_observation(self, observation: Observation) -> None:
        """Shows the faces of an observation, while vision runs."""
        if self._state is not VisionState.RUNNING:
            return
        self._nearest = show_observation(observation, self._nearest, self.view, self.panel, self._strings)

    def clear(self) -> None:
        """Removes all faces and values."""
        self._nearest = None
        self.view.clear_faces()
        self.view.clear_picture()
        self.panel.forget()

    def retranslate(self) -> None:
        """Shows all texts again, in the current language."""
        state, self._state = self._state, None
        if state is not None:
            self.show_state(state)

    def advance(self, seconds: float) -> None:
        """Advances the animations by `seconds`."""
        self.view.advance(seconds)
        self.panel.advance(seconds)

    # Size

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Places image and estimate in the panel's rectangle."""
        wide = self.width() > self.height()
        if wide:
            picture = QRect(0, 0, min(self.width() // 2, round(self.height() * 1.2)), self.height())
            rest = self.rect().adjusted(picture.width(), 0, 0, 0)
        else:
            unit = min(metrics.scale.unit * 0.8, self.width() / COMPACT_WIDE)
            least = round(COMPACT * unit)
            high = min(max(self.height() - round(FULL * unit), self.width() * 3 // 4), self.height() - least)
            picture = QRect(0, 0, self.width(), high)
            rest = self.rect().adjusted(0, picture.height(), 0, 0)
        full = min(rest.height() / FULL, rest.width() / FULL_WIDE, metrics.scale.unit)
        compact = min(rest.height() / COMPACT, rest.width() / COMPACT_WIDE, metrics.scale.unit)
        with_bars = full >= SMALLEST_UNIT
        self.view.setGeometry(picture)
        self.panel.setGeometry(rest)
        scale = Scale(full if with_bars else compact)
        self.view.rescale(Scale(min(scale.unit, picture.width() / NOTICE_WIDE)))
        self.panel.rescale(scale, upright=False, bars=with_bars)
