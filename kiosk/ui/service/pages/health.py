"""The health page: every part of the machine that can fail, in one table."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterator

from PyQt6.QtWidgets import QWidget

from kiosk.ui.service.fact_table import FactTable, Row
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vision.process.messages import VisionState

MIN_FREE_BYTES = 500_000_000
"""Free disk space below which the page shows a warning."""


class HealthPage(Page):
    """Shows the state of vision, engine, journal, devices, settings and disk."""

    may_use_upper_half = True

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self.table = FactTable(self, shows_all=True)
        self._journal_head = ""

    def title(self) -> str:
        """Return "Health" in the current language."""
        return self.strings.health()

    def start(self) -> None:
        """Read the number and the hash of the journal's last entry."""
        self._journal_head = str(self.context.journal.head)[:20]

    def refresh(self) -> None:
        """Show the current state of every part."""
        self.table.show_rows(tuple(self._rows()))

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Give the table the whole page."""
        self.table.rescale(metrics)
        self.table.setGeometry(self.rect())

    def _journal_row(self) -> Row:
        snapshot, strings = self.context.shop.snapshot, self.strings
        if "journal" in snapshot.faults:
            return Row(strings.journal_name(), strings.journal_broken(), False)
        if any(each.kind in ("replaced", "gone") for each in snapshot.attention):
            return Row(strings.journal_name(), strings.journal_begun_anew(self._journal_head), False)
        return Row(strings.journal_name(), strings.rows(self._journal_head), True)

    def _rows(self) -> Iterator[Row]:
        feed, snapshot, strings = self.context.feed, self.context.shop.snapshot, self.strings
        state = strings.vision_state(feed.state)
        is_running = feed.state is VisionState.RUNNING
        yield Row(strings.vision(), f"{state}: {feed.fault}" if feed.fault else state, is_running)
        yield Row(strings.frame_rate(), strings.rates(feed.pace.fps, feed.pace.latency_ms), is_running)
        engine = feed.engine
        name = f"{engine.name}, {engine.precision}" if engine else strings.unknown()
        fault = feed.engine_fault
        yield Row(strings.engine(), f"{name}: {fault}" if fault else name, None if engine is None else not fault)
        if engine and engine.accuracy:
            yield Row(strings.accuracy(), strings.measured(engine.accuracy))
        yield self._journal_row()
        for name, fault_name in ((strings.terminal(), "terminal"), (strings.dispenser(), "dispenser")):
            is_connected = fault_name not in snapshot.faults
            yield Row(name, strings.connected(is_connected, snapshot.simulated), is_connected)
        if self.context.settings_fault:
            yield Row(strings.settings(), self.context.settings_fault, False)
        unsettled = len(snapshot.attention)
        yield Row(strings.to_settle(), str(unsettled), unsettled == 0)
        free = shutil.disk_usage(self.context.journal_path.parent).free
        yield Row(strings.disk(), strings.free(free / 1e9), free >= MIN_FREE_BYTES)
        yield Row(strings.program(), importlib.metadata.version("facialnet-kiosk"))
