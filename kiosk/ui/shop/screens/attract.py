"""The first screen: the products, a notice about the camera, and the choice to shop with or without it.

Both choices have the same size and colour, so that the design favours neither.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from PyQt6.QtCore import QRect, pyqtSignal
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.carousel import ProductCarousel
from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.translations import translator
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button, ButtonStyle
from kiosk.ui.widgets.choice_card import Card
from kiosk.ui.widgets.layout import ColumnItem, arrange_column, arrange_row, split
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.vending.sale.events import Start
from kiosk.vending.sale.snapshot import Snapshot


class AttractScreen(Screen):
    """The screen of phase ATTRACT. Nothing is estimated here; a face in front only slows the carousel down.

    `languages` are codes. `camera_checks` says whether the camera may pass an age check.
    """

    language_requested = pyqtSignal(str)
    """Emitted with the code of a language."""
    large_text_requested = pyqtSignal(bool)
    low_reach_requested = pyqtSignal(bool)

    def __init__(
        self,
        strings: ShopStrings,
        images: ProductImages,
        parent: QWidget,
        languages: Sequence[str],
        *,
        camera_checks: bool,
    ) -> None:
        super().__init__(strings, images, parent)
        self._camera_checks = camera_checks
        self.large_text = False
        self.low_reach = False

        # Widgets
        self.carousel = ProductCarousel(self, images)
        self.greeting = Text(self, theme.TITLE * 1.15, QFont.Weight.DemiBold)
        self.notice = Text(self, theme.BODY, colour=theme.QUIET)
        self.with_camera = Card(self, "camera")
        self.without_camera = Card(self, "no_camera")
        self.languages = {code: Button(self) for code in languages}
        self.large_text_button = Button(self, icon="letters")
        self.low_reach_button = Button(self, icon="reach")

        # Slots
        self.with_camera.clicked.connect(self.touch_slot(Start(True)))
        self.without_camera.clicked.connect(self.touch_slot(Start(False)))
        for code, button in self.languages.items():
            button.set_text(translator.NAMES.get(code, code))
            button.clicked.connect(self._language_slot(code))
        self.large_text_button.clicked.connect(lambda: self.large_text_requested.emit(not self.large_text))
        self.low_reach_button.clicked.connect(lambda: self.low_reach_requested.emit(not self.low_reach))

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        """Return the base key, the available slots and the aids that are on."""
        slots = tuple(offer.slot for offer in snapshot.offers if offer.available)
        return (super().layout_key(snapshot), slots, self.large_text, self.low_reach)

    def set_texts(self, snapshot: Snapshot) -> None:
        """Set all texts, the products of the carousel and the buttons that are highlighted."""
        self.carousel.show_slots([offer.slot for offer in snapshot.offers if offer.available])
        self.greeting.set_text(self.strings.greeting())
        self.notice.set_text(self.strings.notice())
        checks = self._camera_checks
        self.with_camera.set_text(self.strings.with_camera_and_check() if checks else self.strings.with_camera())
        self.without_camera.set_text(self.strings.without_camera())
        for code, button in self.languages.items():
            button.set_button_style(ButtonStyle.CHOSEN if code == self.strings.language else ButtonStyle.PLAIN)
        for button, name, is_on in (
            (self.large_text_button, self.strings.large_text(), self.large_text),
            (self.low_reach_button, self.strings.low_reach(), self.low_reach),
        ):
            button.setAccessibleName(name)
            button.set_button_style(ButtonStyle.CHOSEN if is_on else ButtonStyle.PLAIN)

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:  # noqa: ARG002
        """Place the carousel, the greeting, the two choices and the bar, from top to bottom."""
        margin, gap = metrics.px(theme.SPACE), metrics.px(theme.GAP)
        area, bar = split(self.rect().adjusted(margin, 0, -margin, -margin), metrics.touch)
        self._arrange_bar(bar, metrics)
        cards = (self.with_camera, self.without_camera)
        for card in cards:
            card.rescale(metrics)
        area.adjust(0, 0, 0, -margin)
        if metrics.upright:
            card_height = min(max(card.height_for(area.width()) for card in cards), area.height() // 4)
            area, place = split(area, 2 * card_height + gap)
            self.with_camera.setGeometry(place.left(), place.top(), place.width(), card_height)
            self.without_camera.setGeometry(place.left(), place.bottom() + 1 - card_height, place.width(), card_height)
        else:
            half = (area.width() - gap) // 2
            area, place = split(area, min(max(card.height_for(half) for card in cards), area.height() * 2 // 5))
            arrange_row(place, cards, gap)
        self._arrange_texts(area.adjusted(0, gap, 0, -margin), metrics)

    def _arrange_texts(self, area: QRect, metrics: DisplayMetrics) -> None:
        text_width = metrics.px(104)
        text_height = self.greeting.height_for(text_width) + self.notice.height_for(min(text_width, area.width()))
        height = max(
            min(area.height() - text_height - metrics.px(theme.MARGIN * 2), metrics.px(38)), area.height() // 4
        )
        band = QRect(0, area.top(), self.width(), height)
        rest = QRect(area.left(), band.bottom() + 1, area.width(), area.bottom() - band.bottom())
        self.carousel.setGeometry(band)
        arrange_column(
            rest.adjusted(0, metrics.px(theme.GAP), 0, 0),
            [ColumnItem(self.greeting, width=text_width), ColumnItem(self.notice, width=text_width)],
            metrics.px(theme.GAP),
        )

    def _arrange_bar(self, bar: QRect, metrics: DisplayMetrics) -> None:
        """Place the languages on the left and the aids on the right of `bar`."""
        gap = metrics.px(theme.GAP)
        aid_buttons: list[Button] = [self.large_text_button, self.low_reach_button]
        language_buttons: list[Button] = list(self.languages.values())
        for button in (*aid_buttons, *language_buttons):
            button.rescale(metrics)
        aids = QRect(bar.right() + 1 - 2 * metrics.touch - gap, bar.top(), 2 * metrics.touch + gap, bar.height())
        arrange_row(aids, aid_buttons, gap)
        room = aids.left() - gap - bar.left()
        count = len(language_buttons)
        full_width = max(button.sizeHint().width() for button in language_buttons) * count + gap * (count - 1)
        arrange_row(QRect(bar.left(), bar.top(), min(full_width, room), bar.height()), language_buttons, gap)

    def advance(self, seconds: float) -> None:
        """Move the carousel on by `seconds`."""
        self.carousel.advance(seconds)

    def _language_slot(self, code: str) -> Callable[[], None]:
        return lambda: self.language_requested.emit(code)
