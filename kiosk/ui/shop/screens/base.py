"""What all screens have in common: a snapshot goes in, touches come out."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from PyQt6.QtCore import QRect, pyqtSignal
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.action_bar import ActionBar
from kiosk.ui.widgets.layout import split
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.vending.sale.events import Touch
from kiosk.vending.sale.snapshot import Snapshot


class Screen(QWidget):
    """Laid out anew only when what it says changes: texts, language, size. What moves all the time follows."""

    touched = pyqtSignal(object)
    """A `Touch`."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(parent)
        self.strings = strings
        self.images = images
        self.bar = ActionBar(self)
        self.reach = 0
        """No control lies above this pixel of the screen's own."""
        self._laid_out: Hashable = None
        self.hide()

    # For the window

    def show_snapshot(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:
        """Show `snapshot`."""
        key = (self.layout_key(snapshot), self.strings.language, metrics, self.width(), self.height(), self.reach)
        if key != self._laid_out:
            self._laid_out = key
            self.set_texts(snapshot)
            for text in self.findChildren(Text):
                text.rescale(metrics)
            self.arrange(snapshot, metrics)
        self.refresh(snapshot)

    def advance(self, seconds: float) -> None:
        """Move on what moves."""

    def forget(self) -> None:
        """The customer is gone: nothing that they typed or saw stays."""
        self._laid_out = None

    # For the screens

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        """Everything of the snapshot that the layout depends on."""
        return (snapshot.phase, snapshot.reason, snapshot.chosen and snapshot.chosen.slot, snapshot.amount)

    def set_texts(self, snapshot: Snapshot) -> None:
        """Say what there is to say, in the language of now; show and hide."""

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:
        """Give everything its place."""

    def refresh(self, snapshot: Snapshot) -> None:
        """Show what changes from tick to tick, in its place."""

    def touch_slot(self, touch: Touch) -> Callable[[], None]:
        """A slot that tells of `touch`."""
        return lambda: self.touched.emit(touch)

    def content_area(self, metrics: DisplayMetrics) -> QRect:
        """The screen without its margins left and right, and without the bar, which is placed."""
        margin = metrics.px(theme.SPACE)
        area = self.rect().adjusted(margin, 0, -margin, 0)
        upper, lower = split(area, self.bar.height(metrics, area.width()))
        self.bar.arrange(lower, metrics)
        return upper
