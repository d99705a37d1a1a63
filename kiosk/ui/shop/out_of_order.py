"""What a machine shows that cannot start and has nobody near: out of order, and one line for whoever is to help.

It knows no sale, no device and no journal. Nothing on it can be touched, so it speaks every language of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtGui import QFont, QResizeEvent

from kiosk.ui.shop.locked_window import LockedWindow
from kiosk.ui.shop.screens.message import WIDEST
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.translations.translator import SOURCE, Language, can_show
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import Sign
from kiosk.ui.widgets.layout import Part, column
from kiosk.ui.widgets.metrics import DisplayMetrics, pixels_per_mm
from kiosk.ui.widgets.text import Text

WAITS = (5.0, 10.0, 20.0, 40.0, 60.0)
"""Seconds before each new try, the last again and again: ever more seldom, as systemd would start it."""
LONGEST = 240
"""Characters of the reason: on a small screen it leaves room for what the customer reads. The log has it whole."""
_TURN_MS = 500
_SIGN = 22.0


class OutOfOrderWindow(LockedWindow):
    """Shows `why`, and closes as soon as `again`, asked now and then, gives no reason any more."""

    def __init__(
        self, why: str, again: Callable[[], str], languages: Sequence[str] = (SOURCE,), *, large_text: bool = False
    ) -> None:
        super().__init__(None, locked=True)
        self.why = why
        self._again = again
        self._large_text = large_text
        self._waits = iter(WAITS)
        self._left = next(self._waits)
        self._strings = ShopStrings(self)
        self._languages = [code for code in languages if can_show(code)] or [SOURCE]

        # Widgets
        self.sign = Sign(self, "closed")
        self.said = [self._said_in(code, first=not number) for number, code in enumerate(self._languages)]
        self.service = Text(self, theme.CAPTION, colour=theme.QUIET)

        self.setWindowTitle(self.said[0][0].text)
        self._say_why()
        self.begin()
        self.timer.setInterval(_TURN_MS)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._left -= seconds
        if self._left > 0:
            return
        self._left = next(self._waits, WAITS[-1])
        self.why = self._again()
        if self.why:
            self._say_why()
            self._arrange()
        else:
            self.leave()

    def _said_in(self, code: str, *, first: bool) -> tuple[Text, Text]:
        with _spoken(code):
            message = self._strings.out_of_order()
        title = Text(self, theme.TITLE if first else theme.LEAD, QFont.Weight.DemiBold)
        text = Text(self, theme.LEAD if first else theme.BODY, colour=theme.QUIET)
        title.say(message.title)
        text.say(message.text)
        return title, text

    def _say_why(self) -> None:
        why = " ".join(self.why.split())
        with _spoken(self._languages[0]):
            self.service.say(self._strings.for_service(why if len(why) <= LONGEST else f"{why[:LONGEST]}…"))

    def _arrange(self) -> None:
        density = pixels_per_mm(self)
        metrics = DisplayMetrics.of(self.size(), density, large_text=self._large_text)
        wide, sign = metrics.px(WIDEST), metrics.px(_SIGN)
        parts = [Part(self.sign, sign, sign, least=sign // 3)]
        for title, text in self.said:
            parts += [Part(title, width=wide, gap=metrics.px(theme.SPACE)), Part(text, width=wide)]
        for each in self.findChildren(Text):
            each.rescale(metrics)
        self.service.rescale(DisplayMetrics.of(self.size(), density))
        margin, gap = metrics.px(theme.SPACE), metrics.px(theme.GAP)
        area = self.rect().adjusted(margin, margin, -margin, -margin)
        low = min(self.service.height_for(area.width()), area.height() // 4)
        self.service.setGeometry(area.left(), area.bottom() - low + 1, area.width(), low)
        column(area.adjusted(0, 0, 0, -low - gap), parts, gap)

    # Events

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._arrange()


@contextmanager
def _spoken(code: str) -> Iterator[None]:
    """In this language, for as long as it takes to ask for the words."""
    translator = Language(code)
    QCoreApplication.installTranslator(translator)
    try:
        yield
    finally:
        QCoreApplication.removeTranslator(translator)
