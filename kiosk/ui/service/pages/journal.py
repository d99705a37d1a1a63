"""The journal of today, and all of it on a USB stick."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, time, timedelta
from pathlib import Path

from PyQt6.QtCore import QRect, QSize
from PyQt6.QtWidgets import QWidget

from kiosk.common.errors import KioskError
from kiosk.system.usb_export import Exported, Progress, export, sticks
from kiosk.ui.products.images import on_one_line
from kiosk.ui.service.fact_table import FactTable, Row
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.service.pages.beside import beside
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button
from kiosk.ui.widgets.grid import grid_for
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vending.journal import Entry, read_between
from kiosk.vending.journal.facts import data_of, kind_of

MOST_STICKS = 6


def local(utc: str) -> datetime:
    """The journal's time on the wall's clock."""
    return datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone()


def row_of(entry: Entry) -> Row:
    """A fact on one line."""
    said = " ".join(f"{name}={value}" for name, value in data_of(entry.fact).items() if _says(value))
    return Row(f"{entry.seq} · {local(entry.utc):%H:%M:%S}", f"{kind_of(entry.fact)}  {said}")


def _says(value: object) -> bool:
    """A zero does, though it is equal to False; a checkpoint's pages do not."""
    return value is not None and value is not False and value != "" and not isinstance(value, dict)


def today(now: datetime) -> tuple[datetime, datetime]:
    """The beginning of `now`'s day by the wall's clock, and that of the next."""
    midnight = datetime.combine(now.date(), time())
    return midnight.astimezone(), (midnight + timedelta(days=1)).astimezone()


def rows_of_today(journal: Path, now: datetime) -> tuple[Row, ...]:
    """The newest first. Raises `JournalError`."""
    return tuple(row_of(entry) for entry in reversed(read_between(journal, *today(now))))


class JournalPage(Page):
    """The newest on top. Read beside the screen's thread: a journal of months is long."""

    may_use_upper_half = True

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self._page = 0
        self._today: tuple[Row, ...] = ()
        self._reading: Future[tuple[Row, ...]] | None = None
        self.rows = FactTable(self, label_share=0.24, units=theme.CAPTION * 1.1)
        self.said = self.line(theme.LEAD)
        self.turn = self.button(self._turn, sign="right")

    def title(self) -> str:
        return self.strings.journal()

    def opened(self) -> None:
        self._today, self._page = (), 0
        self.said.say(self.strings.reading())
        now = datetime.now().astimezone()
        self._reading = beside(lambda: rows_of_today(self.context.journal_path, now), "journal")

    def left(self) -> None:
        self._reading = None

    @property
    def is_busy(self) -> bool:
        return self._reading is not None and not self._reading.done()

    def refresh(self) -> None:
        if self._reading is not None and self._reading.done():
            reading, self._reading = self._reading, None
            self._take(reading)
        pages = max(-(-len(self._today) // self.rows.room), 1)
        self._page %= pages
        self.rows.show_rows(self._today, self._page * self.rows.room)
        self.said.setVisible(not self._today)
        self.turn.setVisible(pages > 1)
        self.turn.say(self.strings.page(self._page + 1, pages))

    def _take(self, reading: Future[tuple[Row, ...]]) -> None:
        try:
            self._today = reading.result()
        except KioskError as error:
            self.said.say(self.strings.journal_error(error))
        else:
            self.said.say(self.strings.nothing_today())

    def arrange(self, metrics: DisplayMetrics) -> None:
        self.rows.rescale(metrics)
        wide = max(self.turn.sizeHint().width(), metrics.px(30))
        self.turn.setGeometry(self.width() - wide, self.height() - metrics.touch, wide, metrics.touch)
        area = self.rect().adjusted(0, 0, 0, -metrics.touch - metrics.px(theme.GAP))
        self.rows.setGeometry(area)
        self.said.setGeometry(area)
        self.refresh()

    def _turn(self) -> None:
        self._page += 1
        self.refresh()


class ExportPage(Page):
    """Written beside the screen's thread: a stick may be slow."""

    def __init__(
        self,
        context: ServiceContext,
        strings: ServiceStrings,
        shop_strings: ShopStrings,
        parent: QWidget,
        find: Callable[[], list[Path]] = sticks,
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self.find_sticks = find
        self._metrics: DisplayMetrics | None = None
        self._sticks: list[Path] = []
        self._writing: Future[Exported] | None = None
        self._progress = Progress()
        self.said = self.line(theme.LEAD)
        self.buttons: list[Button] = [self.button(self._starter(index)) for index in range(MOST_STICKS)]

    def title(self) -> str:
        return self.strings.export()

    def opened(self) -> None:
        self._sticks = []
        self.said.say("")

    def left(self) -> None:
        """Whoever leaves wants no more of it: a stick that is pulled out in the middle holds half a file."""
        self._progress.stopped = True
        self._writing = None

    @property
    def is_busy(self) -> bool:
        return self._writing is not None and not self._writing.done()

    def refresh(self) -> None:
        if self._writing is not None:
            if self._writing.done():
                writing, self._writing = self._writing, None
                self.said.say(self._outcome(writing))
            else:
                self.said.say(self.strings.exporting(self._progress.share))
            return
        found = self.find_sticks()[:MOST_STICKS]
        if found != self._sticks or not self.said.text:
            self._sticks = found
            self.said.say(self.strings.choose_stick() if found else self.strings.no_stick())
            if self._metrics is not None:
                self.arrange(self._metrics)

    def arrange(self, metrics: DisplayMetrics) -> None:
        self._metrics = metrics
        gap = metrics.px(theme.GAP)
        head = metrics.touch * 2
        self.said.setGeometry(0, 0, self.width(), head)
        area = QRect(0, head + gap, self.width(), max(self.height() - head - gap, metrics.touch))
        least, most = QSize(metrics.px(30), metrics.touch), QSize(metrics.px(90), metrics.touch * 2)
        grid = grid_for(max(len(self._sticks), 1), area.size(), least, most, gap)
        area.setHeight(min(area.height(), grid.rows * (most.height() + gap) - gap))
        for index, button in enumerate(self.buttons):
            button.setVisible(index < len(self._sticks))
            if index < len(self._sticks):
                # a stick's owner names it, in whatever bytes
                button.say(on_one_line(os.fsencode(self._sticks[index]).decode("utf-8", "replace")))
                button.setGeometry(grid.place(area, index, gap))

    def _starter(self, index: int) -> Callable[[], None]:
        return lambda: self._start(index)

    def _start(self, index: int) -> None:
        if self._writing is None and index < len(self._sticks):
            journal, stick, now = self.context.journal_path, self._sticks[index], datetime.now().astimezone()
            progress = self._progress = Progress()
            self._writing = beside(lambda: export(journal, stick, now, progress), "export")
            self.refresh()

    def _outcome(self, writing: Future[Exported]) -> str:
        try:
            outcome = writing.result()
            return self.strings.exported(", ".join(outcome.files), ", ".join(outcome.left_out))
        except OSError as error:
            return self.strings.not_exported(error.strerror or str(error))
        except KioskError as error:
            return self.strings.not_exported(self.strings.journal_error(error))
