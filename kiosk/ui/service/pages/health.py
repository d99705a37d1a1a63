"""How the machine is: everything that can be wrong with it, on one page."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterator

from PyQt6.QtWidgets import QWidget

from kiosk.ui.service.fact_table import Row, Rows
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vision.process.messages import VisionState

LEAST_FREE = 500_000_000
"""Bytes of disk under which the operator is told."""


class HealthPage(Page):
    """Two columns would be shorter; one is read faster."""

    is_looked_at = True

    def __init__(self, desk: ServiceContext, words: ServiceStrings, shop_words: ShopStrings, parent: QWidget) -> None:
        super().__init__(desk, words, shop_words, parent)
        self.rows = Rows(self, every=True)
        self._head = ""

    def title(self) -> str:
        return self.words.health()

    def opened(self) -> None:
        self._head = str(self.desk.journal.head)[:20]

    def refresh(self) -> None:
        self.rows.show_rows(tuple(self._found()))

    def arrange(self, look: DisplayMetrics) -> None:
        self.rows.rescale(look)
        self.rows.setGeometry(self.rect())

    def _journal(self) -> Row:
        snapshot, words = self.desk.shop.snapshot, self.words
        if "journal" in snapshot.faults:
            return Row(words.journal_name(), words.journal_broken(), False)
        if any(each.kind in ("replaced", "gone") for each in snapshot.attention):
            return Row(words.journal_name(), words.journal_begun_anew(self._head), False)
        return Row(words.journal_name(), words.rows(self._head), True)

    def _found(self) -> Iterator[Row]:
        feed, snapshot, words = self.desk.feed, self.desk.shop.snapshot, self.words
        state = words.vision_state(feed.state)
        running = feed.state is VisionState.RUNNING
        yield Row(words.vision(), f"{state}: {feed.fault}" if feed.fault else state, running)
        yield Row(words.frame_rate(), words.rates(feed.pace.fps, feed.pace.latency_ms), running)
        engine = feed.engine
        name = f"{engine.name}, {engine.precision}" if engine else words.unknown()
        fault = feed.engine_fault
        yield Row(words.engine(), f"{name}: {fault}" if fault else name, None if engine is None else not fault)
        if engine and engine.accuracy:
            yield Row(words.accuracy(), words.measured(engine.accuracy))
        yield self._journal()
        for name, fault_name in ((words.terminal(), "terminal"), (words.dispenser(), "dispenser")):
            there = fault_name not in snapshot.faults
            yield Row(name, words.connected(there, snapshot.simulated), there)
        if self.desk.settings_fault:
            yield Row(words.settings(), self.desk.settings_fault, False)
        owed = len(snapshot.attention)
        yield Row(words.to_settle(), str(owed), owed == 0)
        free = shutil.disk_usage(self.desk.journal_path.parent).free
        yield Row(words.disk(), words.free(free / 1e9), free >= LEAST_FREE)
        yield Row(words.program(), importlib.metadata.version("facialnet-kiosk"))
