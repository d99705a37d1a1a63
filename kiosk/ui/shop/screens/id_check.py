"""The screens of the ID check: asking for an ID, and refusing the product."""

from __future__ import annotations

import math
from collections.abc import Hashable

from PyQt6.QtCore import QRect, pyqtSignal
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.shop.screens.message import MessageScreen
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.ui.widgets.icons import AnimatedIcon
from kiosk.ui.widgets.layout import ColumnItem, arrange_column, centred
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.pin_pad import Dots, PinPad
from kiosk.ui.widgets.text import Text
from kiosk.vending.sale.events import Back, Cancel, Stay
from kiosk.vending.sale.snapshot import Snapshot


class AskIdScreen(Screen):
    """Asks for an ID. Staff get a PIN pad and see the minimum age; a reader needs neither."""

    entered = pyqtSignal(str)
    """Emitted with the PIN that was typed."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent)

        # Widgets
        self.icon_name = AnimatedIcon(self, "id")
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.text = Text(self, theme.LEAD, colour=theme.QUIET)
        self.staff = Text(self, theme.BODY)
        self.dots = Dots(self)
        self.pad = PinPad(self)
        self.cancel = self.bar.add(self.touch_slot(Cancel()))
        self.back = self.bar.add(self.touch_slot(Back()))

        # Slots
        self.pad.entered.connect(self.entered)
        self.pad.typed.connect(self.dots.show_count)
        self.pad.touched.connect(self.touch_slot(Stay()))

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        """Return the base key and the ID methods that are available."""
        return (super().layout_key(snapshot), snapshot.id_methods)

    def set_texts(self, snapshot: Snapshot) -> None:
        """Set all texts, and show the PIN pad if a PIN is one of the methods."""
        self.title.set_text(self.strings.ask_id())
        self.text.set_text(self.strings.ask_id_how(snapshot.id_methods))
        self.cancel.set_text(self.strings.cancel())
        self.back.set_text(self.strings.back())
        self.pad.name_keys(self.strings.erase(), self.strings.confirm())
        for part in (self.pad, self.dots, self.staff):
            part.setVisible("pin" in snapshot.id_methods)
        self._set_staff_text(snapshot)

    def refresh(self, snapshot: Snapshot) -> None:
        """Update the staff text, and lock the PIN pad while the next try has to wait."""
        self._set_staff_text(snapshot)
        if (snapshot.pin_wait_s <= 0) != self.pad.isEnabled():
            self.pad.clear()
            self.pad.set_open(snapshot.pin_wait_s <= 0)

    def _set_staff_text(self, snapshot: Snapshot) -> None:
        if snapshot.pin_wait_s > 0:
            self.staff.set_text(self.strings.pin_wait(math.ceil(snapshot.pin_wait_s)))
        elif snapshot.reason == "wrong_pin" and self.dots.count == 0:
            self.staff.set_text(self.strings.wrong_pin())
        else:
            self.staff.set_text(self.strings.staff(snapshot.chosen.minimum_age if snapshot.chosen else 0))

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:
        """Place the explanation next to or above the PIN pad, in pixels of the screen."""
        area = self.content_area(metrics).adjusted(0, metrics.px(theme.GAP), 0, -metrics.px(theme.SPACE))
        gap = metrics.px(theme.GAP)
        if "pin" in snapshot.id_methods and self.reach and not metrics.upright:
            self._arrange_low(metrics)
            return
        if "pin" not in snapshot.id_methods:
            self._arrange_explanation(area, metrics, metrics.px(26))
            return
        top_limit = area.top() if not self.reach else max(area.top(), self.reach)
        side_by_side = not metrics.upright
        if side_by_side:
            half = QRect(area.left(), area.top(), (area.width() - gap) // 2, area.height())
            self._arrange_explanation(half, metrics, metrics.px(20))
            pad_area = area.adjusted(half.width() + gap * 2, 0, 0, 0)
        else:
            pad_area = area
        head_height = self._head_height(metrics)
        height = area.bottom() - max(top_limit, pad_area.top() + (head_height if not self.reach else 0))
        columns = self.pad.columns_for(pad_area.width(), height, metrics)
        rows = 12 // columns
        max_key = round(metrics.touch * 1.35)
        key = min(max_key, (height - gap * (rows - 1)) // rows)
        width = min(pad_area.width(), round(max_key * 1.4) * columns + gap * (columns - 1))
        pad = QRect(0, 0, width, key * rows + gap * (rows - 1))
        pad.moveCenter(pad_area.center())
        if side_by_side:
            pad.moveTop(pad_area.top() + head_height + max((pad_area.height() - head_height - pad.height()) // 2, 0))
        else:
            pad.moveBottom(area.bottom())
        self.pad.setGeometry(pad)
        self.pad.arrange(columns, metrics)
        above_pad = QRect(
            pad_area.left(),
            max(pad.top() - head_height, area.top()),
            pad_area.width(),
            min(head_height, pad.top() - area.top()),
        )
        arrange_column(above_pad, [ColumnItem(self.staff), ColumnItem(self.dots, metrics.px(4))], gap // 2)
        if not side_by_side:
            self._arrange_explanation(
                QRect(area.left(), area.top(), area.width(), above_pad.top() - area.top() - gap),
                metrics,
                metrics.px(20),
            )

    def _arrange_low(self, metrics: DisplayMetrics) -> None:
        """Arrange a wide window with low reach: the pad in two rows, the bar next to it, everything else above."""
        gap, margin = metrics.px(theme.GAP), metrics.px(theme.SPACE)
        area = self.rect().adjusted(margin, 0, -margin, -margin)
        height = min(area.bottom() + 1 - self.reach, 2 * round(metrics.touch * 1.2) + gap)
        width = max(6 * metrics.touch + 5 * gap, area.width() * 6 // 10)
        pad = QRect(area.right() + 1 - width, area.bottom() + 1 - height, width, height)
        self.pad.setGeometry(pad)
        self.pad.arrange(6, metrics)
        self.bar.arrange(QRect(area.left(), area.top(), area.width() - width - 2 * gap, self.height()), metrics)
        head_height = self._head_height(metrics)
        above_pad = QRect(pad.left(), pad.top() - head_height, pad.width(), head_height)
        arrange_column(above_pad, [ColumnItem(self.staff), ColumnItem(self.dots, metrics.px(4))], gap // 2)
        self._arrange_explanation(
            QRect(area.left(), gap, area.width(), above_pad.top() - 2 * gap), metrics, metrics.px(20)
        )

    def _head_height(self, metrics: DisplayMetrics) -> int:
        """Return the height in pixels of the staff text and the dots above the pad."""
        return metrics.text.px(theme.BODY * 1.6) + metrics.px(4 + theme.GAP)

    def _arrange_explanation(self, area: QRect, metrics: DisplayMetrics, icon: int) -> None:
        parts = [
            ColumnItem(self.icon_name, icon, icon, least=icon // 3),
            ColumnItem(self.title, width=metrics.px(80), gap=metrics.px(theme.SPACE)),
            ColumnItem(self.text, width=metrics.px(80)),
        ]
        arrange_column(centred(area, area.width(), area.height()), parts, metrics.px(theme.GAP))

    def advance(self, seconds: float) -> None:
        """Move the icon's animation on by `seconds`."""
        self.icon_name.advance(seconds)

    def forget(self) -> None:
        """Clear the digits that were typed."""
        super().forget()
        self.pad.clear()


class IdRefusedScreen(MessageScreen):
    """Says politely that this product cannot be sold, and offers the others."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "id")
        self.cancel = self.bar.add(self.touch_slot(Cancel()))
        self.other = self.bar.add(self.touch_slot(Back()), ButtonStyle.PRIMARY)

    def set_texts(self, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Set the refusal and the texts of the buttons."""
        self.set_message(self.strings.refused())
        self.cancel.set_text(self.strings.cancel())
        self.other.set_text(self.strings.other_products())
