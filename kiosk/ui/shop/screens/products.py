"""The screen with all products, in pages."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from PyQt6.QtCore import QRect, QSize
from PyQt6.QtGui import QFont, QFontMetrics
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.products.tile import Tile, TileText
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button
from kiosk.ui.widgets.grid import Grid, grid_for
from kiosk.ui.widgets.layout import split
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.vending.sale.events import Cancel, Choose, SetCamera, Stay
from kiosk.vending.sale.snapshot import Offer, Snapshot

MIN_NAME_SCALE = 0.78
"""Share of its size to which the longest word of all names may shrink, so that more tiles fit on a page."""


class ProductsScreen(Screen):
    """A grid of tiles. Buttons or a swipe turn its pages."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent)
        self.page = 0
        self.grid = Grid(1, 1, 1)
        self._shown: tuple[Snapshot, DisplayMetrics] | None = None

        # Widgets
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.tiles = {slot: Tile(self, images) for slot in images.slots}
        self.cancel = Button(self)
        self.camera = Button(self)
        self.previous_button = Button(self, icon="left")
        self.page_number = Text(self, theme.BODY, colour=theme.QUIET)
        self.next_button = Button(self, icon="right")

        # Slots
        for slot, tile in self.tiles.items():
            tile.clicked.connect(self.touch_slot(Choose(slot)))
            tile.swiped.connect(self.turn_page)
        self.cancel.clicked.connect(self.touch_slot(Cancel()))
        self.camera.clicked.connect(self._on_camera)
        self.previous_button.clicked.connect(self._page_slot(-1))
        self.next_button.clicked.connect(self._page_slot(1))

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        """Return the base key, the offers, the camera choice and the page."""
        return (super().layout_key(snapshot), snapshot.offers, snapshot.camera, self.page)

    def set_texts(self, snapshot: Snapshot) -> None:
        """Set the heading and the texts and icons of the bar."""
        self.title.set_text(self.strings.choose())
        self.cancel.set_text(self.strings.cancel())
        is_on = bool(snapshot.camera)
        self.camera.set_text(self.strings.turn_camera_off() if is_on else self.strings.turn_camera_on())
        self.camera.set_icon("no_camera" if is_on else "camera")
        self.previous_button.setAccessibleName(self.strings.previous_page())
        self.next_button.setAccessibleName(self.strings.next_page())

    def tile_text(self, offer: Offer) -> TileText:
        """Return the name, the price and the note of a tile."""
        note = ""
        if not offer.available:
            note = self.strings.sold_out()
        elif offer.count == 1:
            note = self.strings.last_one()
        name = self.images.name(offer.slot, self.strings.language)
        return TileText(name, self.strings.money(offer.price, offer.currency), note)

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:
        """Place the heading, the tiles of the current page and the bar."""
        self._shown = snapshot, metrics
        margin, gap = metrics.px(theme.SPACE), metrics.px(theme.GAP)
        area, bar = split(self.rect().adjusted(margin, 0, -margin, -margin), metrics.touch)
        area.adjust(0, 0, 0, -gap)
        height = self.title.height_for(area.width())
        self.title.setGeometry(area.left(), area.top() + gap, area.width(), height)
        area.setTop(max(self.title.geometry().bottom() + 2 * gap, self.reach))
        if self.reach:
            self.title.setGeometry(area.left(), 0, area.width(), self.reach)
        self._arrange_tiles(area, snapshot, metrics)
        self._arrange_bar(bar, metrics)

    def _arrange_tiles(self, area: QRect, snapshot: Snapshot, metrics: DisplayMetrics) -> None:
        gap = metrics.px(theme.GAP)
        font_metrics = QFontMetrics(metrics.text.font(theme.BODY))
        names = (self.images.name(offer.slot, self.strings.language) for offer in snapshot.offers)
        longest_word = max(font_metrics.horizontalAdvance(word) for name in names for word in name.split())
        min_width = min(round(longest_word * MIN_NAME_SCALE) + 2 * gap + 2, area.width() // 2)
        upright = QSize(
            max(metrics.touch * 3 // 2, metrics.text.px(20), min_width),
            max(metrics.touch, metrics.px(18) + metrics.text.px(11)),
        )
        wide = QSize(
            max(metrics.touch, metrics.text.px(38), min_width + metrics.px(17)), max(metrics.touch, metrics.text.px(17))
        )
        # Where there is little height, the texts stand next to the pictures.
        min_size = upright if area.height() >= upright.height() * 1.05 else wide
        max_size = QSize(metrics.px(56), metrics.px(64))
        self.grid = grid_for(len(snapshot.offers), area.size(), min_size, max_size, gap)
        self.page = min(self.page, self.grid.pages - 1)
        first = self.page * self.grid.per_page
        shown = snapshot.offers[first : first + self.grid.per_page]
        place = QRect(area)
        columns, rows = self.grid.columns, self.grid.rows
        place.setWidth(min(area.width(), max_size.width() * columns + gap * (columns - 1)))
        place.setHeight(min(area.height(), max_size.height() * rows + gap * (rows - 1)))
        place.moveCenter(area.center())
        for tile in self.tiles.values():
            tile.hide()
        for index, offer in enumerate(shown):
            tile = self.tiles[offer.slot]
            tile.setGeometry(self.grid.place(place, index, gap))
            tile.show_offer(offer, self.tile_text(offer), metrics)
            tile.show()
        tiles = [self.tiles[offer.slot] for offer in shown]
        noted = any(tile.text_lines.note for tile in tiles)
        text_height = max(tile.text_height(noted) for tile in tiles)
        for tile in tiles:
            tile.set_text_height(text_height, noted=noted)

    def _arrange_bar(self, bar: QRect, metrics: DisplayMetrics) -> None:
        gap = metrics.px(theme.GAP)
        has_pages = self.grid.pages > 1
        for part in (self.previous_button, self.page_number, self.next_button):
            part.setVisible(has_pages)
        for button in (self.cancel, self.camera, self.previous_button, self.next_button):
            button.rescale(metrics)
        right = bar.right() + 1
        if has_pages:
            self.next_button.setGeometry(right - metrics.touch, bar.top(), metrics.touch, bar.height())
            self.page_number.set_text(self.strings.page(self.page + 1, self.grid.pages))
            number_width = max(self.page_number.width_for(), metrics.touch // 2)
            self.page_number.setGeometry(
                right - metrics.touch - gap - number_width, bar.top(), number_width, bar.height()
            )
            right = self.page_number.x() - gap
            self.previous_button.setGeometry(right - metrics.touch, bar.top(), metrics.touch, bar.height())
            right = self.previous_button.x() - gap
            self.previous_button.setEnabled(self.page > 0)
            self.next_button.setEnabled(self.page < self.grid.pages - 1)
        self._fit_buttons(right - bar.left(), gap)
        left = bar.left()
        for button in (self.cancel, self.camera):
            width = max(button.sizeHint().width(), metrics.touch)
            button.setGeometry(left, bar.top(), width, bar.height())
            left += width + gap

    def _fit_buttons(self, room: int, gap: int) -> None:
        """Replace texts by icons where `room` (pixels) is too small. Screen readers still get the text."""
        self.cancel.set_icon("")
        for button, icon in ((self.camera, self.camera.icon_name), (self.cancel, "close")):
            if self.cancel.sizeHint().width() + self.camera.sizeHint().width() + gap > room:
                name = button.text()
                button.setText("")
                button.set_icon(icon, name)

    def forget(self) -> None:
        """Return to the first page."""
        super().forget()
        self.page = 0
        self._shown = None

    # Slots

    def _page_slot(self, by: int) -> Callable[[], None]:
        return lambda: self.turn_page(by)

    def turn_page(self, by: int) -> None:
        """Go `by` pages forward or back, if there are so many."""
        if self._shown is not None and 0 <= self.page + by < self.grid.pages:
            self.page += by
            self.show_snapshot(*self._shown)
        self.touched.emit(Stay())

    def _on_camera(self) -> None:
        if self._shown is not None:
            self.touched.emit(SetCamera(not self._shown[0].camera))
