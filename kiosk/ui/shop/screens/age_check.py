"""The screen of the age check: what the customer should do, and the progress. The live picture is next to it."""

from __future__ import annotations

from collections.abc import Hashable

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFont, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.animation import ease
from kiosk.ui.widgets.icons import badge_text, paint_ring
from kiosk.ui.widgets.layout import ColumnItem, arrange_column
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.ui.widgets.theme import Scale
from kiosk.vending.age_check import Prompt
from kiosk.vending.sale.events import Back, SetCamera, ShowId
from kiosk.vending.sale.snapshot import Snapshot

EASE_SECONDS = 0.2
"""Time constant of the ring's animation."""
PROMPT_DELAY = 0.35
"""Seconds for which a prompt must hold before it is shown, so that a blink does not change the text."""


class Ring(QWidget):
    """The minimum age in years, in a ring that shows the progress of the check from 0 to 1."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.age = 0
        self.target = 0.0
        self.shown = 0.0

    def advance(self, seconds: float) -> None:
        """Move the ring towards `target` for `seconds`."""
        if self.shown != self.target:
            self.shown = ease(self.shown, self.target, seconds, EASE_SECONDS, near=0.003)
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        place = paint_ring(painter, self.rect(), 0.07, self.shown)
        painter.setPen(theme.TEXT)
        painter.setFont(Scale(place.width() / 100).font(30, QFont.Weight.DemiBold))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, badge_text(self.age))


class AgeCheckScreen(Screen):
    """Shows what the check waits for, and offers to show an ID, to turn the camera off or to go back."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent)
        self.prompt = self._next_prompt = Prompt.LOOK_AT_THE_SCREEN
        self._prompt_age = 0.0

        # Widgets
        self.heading = Text(self, theme.BODY, colour=theme.QUIET)
        self.ring = Ring(self)
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.text = Text(self, theme.LEAD, colour=theme.QUIET)
        self.back = self.bar.add(self.touch_slot(Back()))
        self.camera = self.bar.add(self.touch_slot(SetCamera(False)))
        self.camera.set_icon("no_camera")
        self.show_id = self.bar.add(self.touch_slot(ShowId()))

    def show_progress(self, prompt: Prompt, progress: float) -> None:
        """Set the prompt and the progress (0 to 1) of the age check. Called before `show_snapshot`."""
        if prompt is not self._next_prompt:
            self._next_prompt, self._prompt_age = prompt, 0.0
        elif self._prompt_age >= PROMPT_DELAY:
            self.prompt = prompt
        self.ring.target = progress

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        """Return the base key and the prompt."""
        return (super().layout_key(snapshot), self.prompt)

    def set_texts(self, snapshot: Snapshot) -> None:
        """Set the prompt, the minimum age and the texts of the buttons."""
        message = self.strings.prompt(self.prompt)
        self.heading.set_text(self.strings.age_check())
        self.title.set_text(message.title)
        self.text.set_text(message.text)
        self.ring.age = snapshot.chosen.minimum_age if snapshot.chosen else 0
        self.back.set_text(self.strings.back())
        self.camera.set_text(self.strings.turn_camera_off())
        self.show_id.set_text(self.strings.show_id_instead())

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:  # noqa: ARG002
        """Place the heading, the ring and the prompt in one column."""
        area = self.content_area(metrics).adjusted(0, metrics.px(theme.GAP), 0, -metrics.px(theme.SPACE))
        ring = metrics.px(32)
        arrange_column(
            area,
            [
                ColumnItem(self.heading),
                ColumnItem(self.ring, ring, ring, least=ring // 3, gap=metrics.px(theme.SPACE)),
                ColumnItem(self.title, gap=metrics.px(theme.MARGIN)),
                ColumnItem(self.text),
            ],
            metrics.px(theme.GAP),
        )

    def advance(self, seconds: float) -> None:
        """Move the ring on by `seconds`, and count how long the next prompt has held."""
        self._prompt_age += seconds
        self.ring.advance(seconds)

    def forget(self) -> None:
        """Return to the first prompt and an empty ring."""
        super().forget()
        self.prompt = self._next_prompt = Prompt.LOOK_AT_THE_SCREEN
        self.ring.target = self.ring.shown = 0.0
