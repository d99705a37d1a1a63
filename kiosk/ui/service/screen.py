"""The main screen of service mode: a tile for each page, and one open page at a time."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QRect, QSize, pyqtSignal
from PyQt6.QtGui import QFont, QMouseEvent, QResizeEvent
from PyQt6.QtWidgets import QWidget

from kiosk.system.backlight import Backlight
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.service.pages.camera import CameraPage
from kiosk.ui.service.pages.device_tests import TestsPage
from kiosk.ui.service.pages.health import HealthPage
from kiosk.ui.service.pages.journal import ExportPage, JournalPage
from kiosk.ui.service.pages.machine import MachinePage
from kiosk.ui.service.pages.settle import SettlePage
from kiosk.ui.service.pages.stock import StockPage
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button
from kiosk.ui.widgets.grid import grid_for
from kiosk.ui.widgets.layout import lower_half
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.vending.sale.events import Stay
from kiosk.vending.sale.state import Phase

MIN_ROWS = 6
"""Pages move to the lower half only if it has room for so many rows of buttons. Smaller screens are in reach."""


class ServiceScreen(QWidget):
    """The pages of service mode and their tiles."""

    leave_requested = pyqtSignal()
    """Emitted when the operator wants to return to the customer's screens."""
    exit_requested = pyqtSignal()
    """Emitted when the operator wants to end the program."""
    volume_changed = pyqtSignal(int)
    """Emitted with the volume in percent."""

    def __init__(
        self,
        context: ServiceContext,
        parent: QWidget,
        backlight: Backlight,
        strings: ServiceStrings,
        shop_strings: ShopStrings,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._strings = strings
        self._metrics: DisplayMetrics | None = None

        # Widgets
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.back = Button(self, icon="left")
        self.stock = StockPage(context, strings, shop_strings, self)
        self.settle = SettlePage(context, strings, shop_strings, self)
        self.machine = MachinePage(context, strings, shop_strings, self, backlight)
        self.pages: list[Page] = [
            CameraPage(context, strings, shop_strings, self),
            HealthPage(context, strings, shop_strings, self),
            self.stock,
            self.settle,
            TestsPage(context, strings, shop_strings, self),
            JournalPage(context, strings, shop_strings, self),
            ExportPage(context, strings, shop_strings, self),
            self.machine,
        ]
        self.tiles = [Button(self) for _ in self.pages]
        self.current: Page | None = None

        # Slots
        self.back.clicked.connect(self.go_back)
        for tile, page in zip(self.tiles, self.pages, strict=True):
            tile.clicked.connect(self._page_slot(page))
        self.settle.count_requested.connect(self._edit_stock)
        self.machine.exit_requested.connect(self.exit_requested)
        self.machine.volume_changed.connect(self.volume_changed)

        # Appearance
        theme.fill_ground(self, theme.GROUND)
        self._set_texts()

    def open(self, page: Page | None) -> None:
        """Close the open page, and open `page`, or show the tiles for None."""
        self._context.shop.touch(Stay())
        if self.current is not None:
            self.current.stop()
            self.current.hide()
        self.current = page
        if page is not None:
            page.start()
            page.show()
        self._set_texts()
        self._arrange()
        self.refresh()

    def end(self) -> None:
        """End what the open page does. Called when service mode closes."""
        if self.current is not None:
            self.current.stop()

    def go_back(self) -> None:
        """Go back one step: inside the page, from the page to the tiles, or from the tiles to the customer."""
        if self.current is None:
            self.leave_requested.emit()
        elif not self.current.step_back():
            self.open(None)

    def refresh(self) -> None:
        """Show what has changed. Called several times per second."""
        if self._context.shop.snapshot.phase is not Phase.SERVICE:
            return
        count = len(self._context.shop.snapshot.attention)
        self.tiles[self.pages.index(self.settle)].set_text(self._strings.to_settle(count))
        if self.current is not None:
            self.current.refresh()

    def rescale(self, metrics: DisplayMetrics) -> None:
        """Arrange everything for `metrics`, after the window's size changed."""
        self._metrics = metrics
        self._arrange()

    def _set_texts(self) -> None:
        self.title.set_text(self.current.title() if self.current else self._strings.service())
        self.back.set_text(self._strings.back() if self.current else self._strings.leave_service())
        for tile, page in zip(self.tiles, self.pages, strict=True):
            tile.set_text(page.title())
            tile.setVisible(self.current is None)

    def _arrange(self) -> None:
        metrics = self._metrics
        if metrics is None:
            return
        gap, margin = metrics.px(theme.GAP), metrics.px(theme.SPACE)
        inner = self.rect().adjusted(margin, gap, -margin, -margin)
        self.back.rescale(metrics)
        self.title.rescale(metrics)
        back_width = min(self.back.sizeHint().width(), inner.width() * 2 // 3)
        is_low = metrics.low and self.height() - lower_half(self) >= MIN_ROWS * metrics.touch
        head = inner.bottom() + 1 - metrics.touch if is_low else inner.top()
        self.back.setGeometry(inner.left(), head, back_width, metrics.touch)
        self.title.setGeometry(inner.left() + back_width + gap, head, inner.width() - back_width - gap, metrics.touch)
        area = inner.adjusted(0, metrics.touch + gap * 2, 0, 0)
        if is_low:
            area = inner.adjusted(0, 0, 0, -metrics.touch - gap * 2)
            if self.current is None or not self.current.may_use_upper_half:
                area.setTop(max(lower_half(self), area.top()))
        minimum, maximum = QSize(metrics.px(40), metrics.touch), QSize(metrics.px(60), metrics.px(24))
        grid = grid_for(len(self.tiles), area.size(), minimum, maximum, gap)
        for index, tile in enumerate(self.tiles):
            tile.rescale(metrics)
            tile.setGeometry(grid.place(area, index, gap))
        if self.current is not None:
            self.current.setGeometry(QRect(area))
            self.current.rescale(metrics)
            self.current.arrange(metrics)

    def _page_slot(self, page: Page) -> Callable[[], None]:
        return lambda: self.open(page)

    def _edit_stock(self, slot: str) -> None:
        self.open(self.stock)
        self.stock.edit(slot)

    # Events

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._arrange()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: ARG002, N802
        self._context.shop.touch(Stay())
