"""The pages that show today's journal and that export the whole journal to a USB stick."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TypeVar

from PyQt6.QtCore import QRect, QSize
from PyQt6.QtWidgets import QWidget

from kiosk.common.errors import KioskError
from kiosk.common.utc import local_time
from kiosk.system.usb_export import Exported, Progress, export, mounted_sticks
from kiosk.ui.products.images import on_one_line
from kiosk.ui.service.fact_table import FactTable, Row
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button
from kiosk.ui.widgets.grid import grid_for
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vending.journal import Entry, read_between
from kiosk.vending.journal.facts import data_of, kind_of

T = TypeVar("T")

MAX_STICKS = 6
"""USB sticks that the page can list."""


def run_in_thread(work: Callable[[], T], name: str) -> Future[T]:
    """Run `work` in a thread of its own, called `name`. The program does not end before the thread does."""
    executor = ThreadPoolExecutor(1, name)
    try:
        return executor.submit(work)
    finally:
        executor.shutdown(wait=False)


def row_for_entry(entry: Entry) -> Row:
    """Return the table row of a journal entry: its number and time, and the fact on one line."""
    fields = " ".join(f"{name}={value}" for name, value in data_of(entry.fact).items() if _has_content(value))
    return Row(f"{entry.seq} · {local_time(entry.utc):%H:%M:%S}", f"{kind_of(entry.fact)}  {fields}")


def _has_content(value: object) -> bool:
    """Return whether a field is worth showing. 0 is, although it equals False; a checkpoint's tables are not."""
    return value is not None and value is not False and value != "" and not isinstance(value, dict)


def day_bounds(now: datetime) -> tuple[datetime, datetime]:
    """Return the local midnight before `now`, and the one after it."""
    midnight = datetime.combine(now.date(), time())
    return midnight.astimezone(), (midnight + timedelta(days=1)).astimezone()


def rows_of_today(journal: Path, now: datetime) -> tuple[Row, ...]:
    """Return the rows of the day of `now`, the newest first. Raises `JournalError` if the journal cannot be read."""
    return tuple(row_for_entry(entry) for entry in reversed(read_between(journal, *day_bounds(now))))


class JournalPage(Page):
    """Shows today's entries, the newest on top. A thread reads them, because the journal of many months is long."""

    may_use_upper_half = True

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self._page = 0
        self._entries: tuple[Row, ...] = ()
        self._reading: Future[tuple[Row, ...]] | None = None
        self.table = FactTable(self, label_share=0.24, units=theme.CAPTION * 1.1)
        self.status = self.line(theme.LEAD)
        self.next_button = self.button(self._show_next_page, icon="right")

    def title(self) -> str:
        """Return "Journal of today" in the current language."""
        return self.strings.journal()

    def start(self) -> None:
        """Start to read today's entries in a thread."""
        self._entries, self._page = (), 0
        self.status.set_text(self.strings.reading())
        now = datetime.now().astimezone()
        self._reading = run_in_thread(lambda: rows_of_today(self.context.journal_path, now), "journal")

    def stop(self) -> None:
        """Ignore what the thread still reads."""
        self._reading = None

    @property
    def is_busy(self) -> bool:
        """Whether the thread still reads."""
        return self._reading is not None and not self._reading.done()

    def refresh(self) -> None:
        """Show the entries once they are read, in pages."""
        if self._reading is not None and self._reading.done():
            reading, self._reading = self._reading, None
            self._show_result(reading)
        pages = max(-(-len(self._entries) // self.table.capacity), 1)
        self._page %= pages
        self.table.show_rows(self._entries, self._page * self.table.capacity)
        self.status.setVisible(not self._entries)
        self.next_button.setVisible(pages > 1)
        self.next_button.set_text(self.strings.page(self._page + 1, pages))

    def _show_result(self, reading: Future[tuple[Row, ...]]) -> None:
        try:
            self._entries = reading.result()
        except KioskError as error:
            self.status.set_text(self.strings.journal_error(error))
        else:
            self.status.set_text(self.strings.nothing_today())

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Place the table above the button that turns the page."""
        self.table.rescale(metrics)
        width = max(self.next_button.sizeHint().width(), metrics.px(30))
        self.next_button.setGeometry(self.width() - width, self.height() - metrics.touch, width, metrics.touch)
        area = self.rect().adjusted(0, 0, 0, -metrics.touch - metrics.px(theme.GAP))
        self.table.setGeometry(area)
        self.status.setGeometry(area)
        self.refresh()

    def _show_next_page(self) -> None:
        self._page += 1
        self.refresh()


class ExportPage(Page):
    """Exports the journal to a USB stick. A thread writes it, because a stick may be slow.

    `find` returns the mount points of the sticks.
    """

    def __init__(
        self,
        context: ServiceContext,
        strings: ServiceStrings,
        shop_strings: ShopStrings,
        parent: QWidget,
        find: Callable[[], list[Path]] = mounted_sticks,
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self.find_sticks = find
        self._metrics: DisplayMetrics | None = None
        self._sticks: list[Path] = []
        self._writing: Future[Exported] | None = None
        self._progress = Progress()
        self.status = self.line(theme.LEAD)
        self.buttons: list[Button] = [self.button(self._export_slot(index)) for index in range(MAX_STICKS)]

    def title(self) -> str:
        """Return "Export to USB" in the current language."""
        return self.strings.export()

    def start(self) -> None:
        """Look for USB sticks again."""
        self._sticks = []
        self.status.set_text("")

    def stop(self) -> None:
        """Cancel the export, so that no stick is pulled out while it is written."""
        self._progress.stopped = True
        self._writing = None

    @property
    def is_busy(self) -> bool:
        """Whether the thread still writes."""
        return self._writing is not None and not self._writing.done()

    def refresh(self) -> None:
        """List the USB sticks, or show the progress or the result of the export."""
        if self._writing is not None:
            if self._writing.done():
                writing, self._writing = self._writing, None
                self.status.set_text(self._outcome(writing))
            else:
                self.status.set_text(self.strings.exporting(self._progress.share))
            return
        found = self.find_sticks()[:MAX_STICKS]
        if found != self._sticks or not self.status.text:
            self._sticks = found
            self.status.set_text(self.strings.choose_stick() if found else self.strings.no_stick())
            if self._metrics is not None:
                self.arrange(self._metrics)

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Place the line of text above a grid of buttons, one per stick."""
        self._metrics = metrics
        gap = metrics.px(theme.GAP)
        head = metrics.touch * 2
        self.status.setGeometry(0, 0, self.width(), head)
        area = QRect(0, head + gap, self.width(), max(self.height() - head - gap, metrics.touch))
        minimum, maximum = QSize(metrics.px(30), metrics.touch), QSize(metrics.px(90), metrics.touch * 2)
        grid = grid_for(max(len(self._sticks), 1), area.size(), minimum, maximum, gap)
        area.setHeight(min(area.height(), grid.rows * (maximum.height() + gap) - gap))
        for index, button in enumerate(self.buttons):
            button.setVisible(index < len(self._sticks))
            if index < len(self._sticks):
                # A stick's name may contain any bytes.
                button.set_text(on_one_line(os.fsencode(self._sticks[index]).decode("utf-8", "replace")))
                button.setGeometry(grid.place(area, index, gap))

    def _export_slot(self, index: int) -> Callable[[], None]:
        return lambda: self._export(index)

    def _export(self, index: int) -> None:
        if self._writing is None and index < len(self._sticks):
            journal, stick, now = self.context.journal_path, self._sticks[index], datetime.now().astimezone()
            progress = self._progress = Progress()
            self._writing = run_in_thread(lambda: export(journal, stick, now, progress), "export")
            self.refresh()

    def _outcome(self, writing: Future[Exported]) -> str:
        try:
            outcome = writing.result()
            return self.strings.exported(", ".join(outcome.files), ", ".join(outcome.left_out))
        except OSError as error:
            return self.strings.not_exported(error.strerror or str(error))
        except KioskError as error:
            return self.strings.not_exported(self.strings.journal_error(error))
