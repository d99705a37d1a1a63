"""How the machine is: everything that can be wrong with it, on one page."""

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

LEAST_FREE = 500_000_000
"""Bytes of disk under which the operator is told."""


class HealthPage(Page):
    """Two columns would be shorter; one is read faster."""

    may_use_upper_half = True

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self.rows = FactTable(self, every=True)
        self._head = ""

    def title(self) -> str:
        return self.strings.health()

    def opened(self) -> None:
        self._head = str(self.context.journal.head)[:20]

    def refresh(self) -> None:
        self.rows.show_rows(tuple(self._found()))

    def arrange(self, metrics: DisplayMetrics) -> None:
        self.rows.rescale(metrics)
        self.rows.setGeometry(self.rect())

    def _journal(self) -> Row:
        snapshot, strings = self.context.shop.snapshot, self.strings
        if "journal" in snapshot.faults:
            return Row(strings.journal_name(), strings.journal_broken(), False)
        if any(each.kind in ("replaced", "gone") for each in snapshot.attention):
            return Row(strings.journal_name(), strings.journal_begun_anew(self._head), False)
        return Row(strings.journal_name(), strings.rows(self._head), True)

    def _found(self) -> Iterator[Row]:
        feed, snapshot, strings = self.context.feed, self.context.shop.snapshot, self.strings
        state = strings.vision_state(feed.state)
        running = feed.state is VisionState.RUNNING
        yield Row(strings.vision(), f"{state}: {feed.fault}" if feed.fault else state, running)
        yield Row(strings.frame_rate(), strings.rates(feed.pace.fps, feed.pace.latency_ms), running)
        engine = feed.engine
        name = f"{engine.name}, {engine.precision}" if engine else strings.unknown()
        fault = feed.engine_fault
        yield Row(strings.engine(), f"{name}: {fault}" if fault else name, None if engine is None else not fault)
        if engine and engine.accuracy:
            yield Row(strings.accuracy(), strings.measured(engine.accuracy))
        yield self._journal()
        for name, fault_name in ((strings.terminal(), "terminal"), (strings.dispenser(), "dispenser")):
            there = fault_name not in snapshot.faults
            yield Row(name, strings.connected(there, snapshot.simulated), there)
        if self.context.settings_fault:
            yield Row(strings.settings(), self.context.settings_fault, False)
        owed = len(snapshot.attention)
        yield Row(strings.to_settle(), str(owed), owed == 0)
        free = shutil.disk_usage(self.context.journal_path.parent).free
        yield Row(strings.disk(), strings.free(free / 1e9), free >= LEAST_FREE)
        yield Row(strings.program(), importlib.metadata.version("facialnet-kiosk"))
