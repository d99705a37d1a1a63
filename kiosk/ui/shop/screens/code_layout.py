"""Places a message and a QR code: next to each other in a wide area, one above the other in an upright one."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRect

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.layout import ColumnItem, arrange_column
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.qr_code import QrCode
from kiosk.ui.widgets.text import Text


def arrange_with_code(
    area: QRect,
    parts: Sequence[ColumnItem],
    code: QrCode,
    caption: Text,
    metrics: DisplayMetrics,
    *,
    wide_units: float,
    upright_units: float,
) -> None:
    """Place `parts` and the QR code with its `caption` in `area`.

    `wide_units` and `upright_units` limit the side of the code in a wide and in an upright area, in layout units.
    """
    gap = metrics.px(theme.GAP)
    if area.width() > area.height() * 1.15:
        free_height = area.height() - caption.height_for(metrics.px(40)) - gap
        side = min(free_height, area.width() * 2 // 5, metrics.px(wide_units))
        right = QRect(area.right() + 1 - side, area.top(), side, area.height())
        arrange_column(right, [ColumnItem(code, side, least=side * 2 // 3), ColumnItem(caption)], gap)
        arrange_column(area.adjusted(0, 0, -side - metrics.px(theme.MARGIN), 0), parts, gap)
    else:
        side = min(metrics.px(upright_units), area.height() // 3)
        code_part = ColumnItem(code, side, side, least=side * 3 // 4, gap=metrics.px(theme.SPACE))
        arrange_column(area, [*parts, code_part, ColumnItem(caption, width=metrics.px(80))], gap)
