"""The window of a machine that cannot start and runs unattended: "out of order", and one line for the operator.

It uses no sale, device or journal. Nothing on it can be touched, so it shows its text in every language of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtGui import QFont, QResizeEvent

from kiosk.common.backoff import Backoff
from kiosk.ui.shop.locked_window import LockedWindow
from kiosk.ui.shop.screens.message import MAX_LINE_UNITS
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.translations.translator import SOURCE, Language, can_show
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import AnimatedIcon
from kiosk.ui.widgets.layout import ColumnItem, arrange_column
from kiosk.ui.widgets.metrics import DisplayMetrics, pixels_per_mm
from kiosk.ui.widgets.text import Text

RETRY_DELAYS = (5.0, 10.0, 20.0, 40.0, 60.0)
"""Seconds before each retry; the last one repeats. systemd restarts the program after the same delays."""
MAX_REASON_LENGTH = 240
"""Characters of the reason that are shown, so that a small screen has room for the customer's text. The log has all."""
_TICK_MS = 500
_ICON_UNITS = 22.0


class OutOfOrderWindow(LockedWindow):
    """Shows `reason`, and closes as soon as a retry succeeds.

    `retry` returns the new reason, or "" once the machine can start. It is called after each of `RETRY_DELAYS`.
    `languages` are codes; the first one is also used for the operator's line.
    """

    def __init__(
        self, reason: str, retry: Callable[[], str], languages: Sequence[str] = (SOURCE,), *, large_text: bool = False
    ) -> None:
        super().__init__(None, locked=True)
        self.reason = reason
        self._retry = retry
        self._large_text = large_text
        self._backoff = Backoff(RETRY_DELAYS)
        self._seconds_left = self._backoff.next_delay()
        self._strings = ShopStrings(self)
        self._languages = [code for code in languages if can_show(code)] or [SOURCE]

        # Widgets
        self.icon_name = AnimatedIcon(self, "closed")
        self.messages = [self._message_in(code, is_first=not index) for index, code in enumerate(self._languages)]
        self.service = Text(self, theme.CAPTION, colour=theme.QUIET)

        self.setWindowTitle(self.messages[0][0].text)
        self._show_reason()
        self.begin()
        self.timer.setInterval(_TICK_MS)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and retry when the current delay is over."""
        self._seconds_left -= seconds
        if self._seconds_left > 0:
            return
        self._seconds_left = self._backoff.next_delay()
        self.reason = self._retry()
        if self.reason:
            self._show_reason()
            self._arrange()
        else:
            self.leave()

    def _message_in(self, code: str, *, is_first: bool) -> tuple[Text, Text]:
        """Create the title and the text in the language `code`."""
        with _language(code):
            message = self._strings.out_of_order()
        title = Text(self, theme.TITLE if is_first else theme.LEAD, QFont.Weight.DemiBold)
        text = Text(self, theme.LEAD if is_first else theme.BODY, colour=theme.QUIET)
        title.set_text(message.title)
        text.set_text(message.text)
        return title, text

    def _show_reason(self) -> None:
        reason = " ".join(self.reason.split())
        if len(reason) > MAX_REASON_LENGTH:
            reason = f"{reason[:MAX_REASON_LENGTH]}…"
        with _language(self._languages[0]):
            self.service.set_text(self._strings.for_service(reason))

    def _arrange(self) -> None:
        density = pixels_per_mm(self)
        metrics = DisplayMetrics.of(self.size(), density, large_text=self._large_text)
        width, icon = metrics.px(MAX_LINE_UNITS), metrics.px(_ICON_UNITS)
        parts = [ColumnItem(self.icon_name, icon, icon, least=icon // 3)]
        for title, text in self.messages:
            parts += [ColumnItem(title, width=width, gap=metrics.px(theme.SPACE)), ColumnItem(text, width=width)]
        for each in self.findChildren(Text):
            each.rescale(metrics)
        self.service.rescale(DisplayMetrics.of(self.size(), density))
        margin, gap = metrics.px(theme.SPACE), metrics.px(theme.GAP)
        area = self.rect().adjusted(margin, margin, -margin, -margin)
        service_height = min(self.service.height_for(area.width()), area.height() // 4)
        self.service.setGeometry(area.left(), area.bottom() - service_height + 1, area.width(), service_height)
        arrange_column(area.adjusted(0, 0, 0, -service_height - gap), parts, gap)

    # Events

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._arrange()


@contextmanager
def _language(code: str) -> Iterator[None]:
    """Install the translator of the language `code` while the context is open."""
    translator = Language(code)
    QCoreApplication.installTranslator(translator)
    try:
        yield
    finally:
        QCoreApplication.removeTranslator(translator)
