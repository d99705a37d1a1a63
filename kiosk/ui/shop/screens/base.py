"""The base class of all screens: it shows a snapshot of the sale and emits touches."""

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
    """A screen with an action bar. It sets its texts and its layout only when `layout_key`, language or size change."""

    touched = pyqtSignal(object)
    """Emitted with a `Touch`."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(parent)
        self.strings = strings
        self.images = images
        self.bar = ActionBar(self)
        self.reach = 0
        """In pixels of the screen: no control may be above this line."""
        self._arranged_for: Hashable = None
        self.hide()

    # Called by the window

    def show_snapshot(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:
        """Show `snapshot` at the sizes of `metrics`. Called at every tick."""
        key = (self.layout_key(snapshot), self.strings.language, metrics, self.width(), self.height(), self.reach)
        if key != self._arranged_for:
            self._arranged_for = key
            self.set_texts(snapshot)
            for text in self.findChildren(Text):
                text.rescale(metrics)
            self.arrange(snapshot, metrics)
        self.refresh(snapshot)

    def advance(self, seconds: float) -> None:
        """Let the animations run for `seconds`."""

    def forget(self) -> None:
        """Clear everything that the customer typed or saw. Called when the sale leaves the screen's phase."""
        self._arranged_for = None

    # Implemented by the screens

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        """Return everything in `snapshot` that the texts and the layout depend on."""
        return (snapshot.phase, snapshot.reason, snapshot.chosen and snapshot.chosen.slot, snapshot.amount)

    def set_texts(self, snapshot: Snapshot) -> None:
        """Set all texts in the current language, and show or hide the widgets."""

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:
        """Set the geometry of every widget, in pixels of the screen."""

    def refresh(self, snapshot: Snapshot) -> None:
        """Show what changes from tick to tick without a new layout, such as a countdown."""

    def touch_slot(self, touch: Touch) -> Callable[[], None]:
        """Return a slot that emits `touched` with `touch`."""
        return lambda: self.touched.emit(touch)

    def content_area(self, metrics: DisplayMetrics) -> QRect:
        """Arrange the action bar, and return the area above it without the side margins, in pixels."""
        margin = metrics.px(theme.SPACE)
        area = self.rect().adjusted(margin, 0, -margin, 0)
        upper, lower = split(area, self.bar.height(metrics, area.width()))
        self.bar.arrange(lower, metrics)
        return upper
