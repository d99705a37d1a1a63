"""The last screen of a sale: its outcome, and the receipt as text and as a QR code."""

from __future__ import annotations

from collections.abc import Hashable

from PyQt6.QtCore import QRect, QRectF, Qt
from PyQt6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.common.utc import local_time
from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.shop.screens.code_layout import arrange_with_code
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.ui.widgets.icons import AnimatedIcon
from kiosk.ui.widgets.layout import ColumnItem
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.qr_code import QrCode
from kiosk.ui.widgets.text import PlacedText, Text, fit_font
from kiosk.vending.sale.events import Cancel
from kiosk.vending.sale.snapshot import Receipt, Snapshot

ROW_HEIGHT = 1.5
"""In multiples of the font size."""


def local_time_text(utc: str) -> str:
    """Return a UTC time of the journal as local "YYYY-MM-DD HH:MM", or `utc` itself if it is not ISO 8601."""
    try:
        return local_time(utc).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return utc


class ReceiptRows(QWidget):
    """A table with a name on the left and a value on the right of each row."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._metrics: DisplayMetrics | None = None
        self.rows: list[tuple[str, str]] = []

    def show_rows(self, rows: list[tuple[str, str]]) -> None:
        """Show the (name, value) pairs. The first row is emphasised."""
        if rows != self.rows:
            self.rows = rows
            self.update()

    def rescale(self, metrics: DisplayMetrics) -> None:
        """Use the font sizes of `metrics`."""
        self._metrics = metrics
        self.update()

    @property
    def height_wanted(self) -> int:
        """The height in pixels at full size, 0 before `rescale`."""
        return self._metrics.text.px(theme.BODY * ROW_HEIGHT) * len(self.rows) if self._metrics else 0

    @property
    def placed_texts(self) -> list[PlacedText]:
        """The texts as they are painted. Long ones get a smaller font, and then lose their middle."""
        if not self.rows or self._metrics is None:
            return []
        drawn = []
        pitch = self.height() / len(self.rows)
        half = self.width() * 45 // 100
        for index, (name, value) in enumerate(self.rows):
            top = round(index * pitch)
            line = QRect(0, top, self.width(), round((index + 1) * pitch) - top)
            weight = QFont.Weight.DemiBold if index == 0 else QFont.Weight.Normal
            colour = theme.TEXT if index == 0 else theme.QUIET
            # A product's name may be long and a price is short. In the other rows the name is short and the value long.
            left = self.width() * 68 // 100 if index == 0 else self.width() - half - half // 4
            for full_text, place in (
                (name, QRect(line.left(), line.top(), left, line.height())),
                (value, QRect(line.left() + left, line.top(), line.width() - left, line.height())),
            ):
                font = fit_font(self._metrics.text, theme.BODY, weight, full_text, place.size(), wrap=False)
                # A text that does not fit even in the smallest font keeps its beginning and its end.
                text = QFontMetrics(font).elidedText(full_text, Qt.TextElideMode.ElideMiddle, place.width())
                drawn.append(PlacedText(text, font, place, colour, theme.GROUND, wrap=False))
        return drawn

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        middle = Qt.AlignmentFlag.AlignVCenter
        for index, placed in enumerate(self.placed_texts):
            painter.setFont(placed.font)
            painter.setPen(placed.colour)
            side = Qt.AlignmentFlag.AlignRight if index % 2 else Qt.AlignmentFlag.AlignLeft
            painter.drawText(placed.place, int(side | middle), placed.text)
        painter.setPen(theme.TRACK)
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)


class TimeLeft(QWidget):
    """A thin line that gets shorter until the screen closes automatically."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._share = 0.0
        self._total = 0.0

    def show_seconds(self, seconds: float | None) -> None:
        """Show the `seconds` that are left, None for no line. The largest value since `clear` is the full line."""
        self._total = max(self._total, seconds or 0.0)
        share = (seconds or 0.0) / self._total if self._total else 0.0
        if share != self._share:
            self._share = share
            self.update()

    def clear(self) -> None:
        """Start again with an empty line."""
        self._total = self._share = 0.0

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.TRACK)
        painter.drawRect(self.rect())
        painter.setBrush(theme.FILL)
        painter.drawRect(QRectF(0, 0, self.width() * self._share, self.height()))


class DoneScreen(Screen):
    """Says that the product was sold, refunded, or that the refund is on its way."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent)

        # Widgets
        self.icon_name = AnimatedIcon(self, "done")
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.text = Text(self, theme.LEAD, colour=theme.QUIET)
        self.rows = ReceiptRows(self)
        self.code = QrCode(self)
        self.scan = Text(self, theme.CAPTION, colour=theme.QUIET)
        self.time_left = TimeLeft(self)
        self.done = self.bar.add(self.touch_slot(Cancel()), ButtonStyle.PRIMARY)

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        """Return the base key and the receipt."""
        return (super().layout_key(snapshot), snapshot.receipt)

    def set_texts(self, snapshot: Snapshot) -> None:
        """Show the outcome, the receipt and its QR code."""
        message = self.strings.ended(snapshot.reason)
        self.icon_name.set_icon({"sold": "done", "refunded": "refund"}.get(snapshot.reason, "sorry"))
        self.title.set_text(message.title)
        self.text.set_text(message.text)
        self.done.set_text(self.strings.done())
        self.scan.set_text(self.strings.scan())
        receipt = snapshot.receipt
        self.rows.show_rows(self._rows(receipt) if receipt else [])
        self.code.show_text(self.receipt_text(receipt, simulated=snapshot.simulated) if receipt else "")
        for part in (self.rows, self.code, self.scan):
            part.setVisible(receipt is not None)

    def _rows(self, receipt: Receipt) -> list[tuple[str, str]]:
        amount = self.strings.money(receipt.amount, receipt.currency)
        name = self.images.name(receipt.slot, self.strings.language)
        return self.strings.receipt_rows(name, amount, local_time_text(receipt.utc), receipt.sale, receipt.reference)

    def receipt_text(self, receipt: Receipt, *, simulated: bool) -> str:
        """Return the receipt as lines of text for the QR code, which customers read away from the machine."""
        head = [self.strings.receipt(), *([self.strings.simulated()] if simulated else [])]
        rows = [f"{name}: {value}" for name, value in self._rows(receipt)]
        outcome = [] if receipt.outcome == "sold" else [self.strings.ended(receipt.outcome).title]
        return "\n".join([*head, *rows, *outcome])

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:  # noqa: ARG002
        """Place the outcome and the receipt, and the QR code next to or below them."""
        gap, space = metrics.px(theme.GAP), metrics.px(theme.SPACE)
        area = self.content_area(metrics).adjusted(0, gap, 0, -space)
        self.rows.rescale(metrics)
        self.time_left.setGeometry(0, self.height() - metrics.px(0.6), self.width(), metrics.px(0.6))
        icon = metrics.px(16)
        parts = [
            ColumnItem(self.icon_name, icon, icon, least=icon // 3),
            ColumnItem(self.title, width=metrics.px(80), gap=space),
            ColumnItem(self.text, width=metrics.px(80)),
            ColumnItem(
                self.rows,
                self.rows.height_wanted,
                metrics.text.px(78),
                least=self.rows.height_wanted * 6 // 10,
                gap=metrics.px(theme.MARGIN),
            ),
        ]
        arrange_with_code(area, parts, self.code, self.scan, metrics, wide_units=48, upright_units=46)

    def refresh(self, snapshot: Snapshot) -> None:
        """Show the seconds until the screen closes."""
        self.time_left.show_seconds(snapshot.seconds_left)

    def advance(self, seconds: float) -> None:
        """Move the icon's animation on by `seconds`."""
        self.icon_name.advance(seconds)

    def forget(self) -> None:
        """Clear the receipt and its QR code."""
        super().forget()
        self.time_left.clear()
        self.rows.show_rows([])
        self.code.show_text("")
