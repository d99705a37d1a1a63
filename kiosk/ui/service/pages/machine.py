"""The machine page: volume, brightness, taking the machine out of order, and ending the program."""

from __future__ import annotations

from PyQt6.QtCore import QRect, pyqtSignal
from PyQt6.QtWidgets import QWidget

from kiosk.system.backlight import Backlight
from kiosk.ui.service.number_stepper import Stepper, side_by_side
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.layout import arrange_row
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vending.journal import JournalError
from kiosk.vending.journal.operator_settings import BRIGHTNESS, OUT_OF_ORDER, VOLUME
from kiosk.vending.sale.events import Stay

STEP = 10
"""Percent by which a button changes the volume or the brightness."""
MIN_BRIGHTNESS = 10
"""Percent. At this brightness the screen can still be read."""


class MachinePage(Page):
    """Changes the operator's settings. Each change is written to the journal, and applies after a restart too."""

    exit_requested = pyqtSignal()
    """Emitted after the second touch on *exit*."""
    volume_changed = pyqtSignal(int)
    """Emitted with the volume in percent."""

    def __init__(
        self,
        context: ServiceContext,
        strings: ServiceStrings,
        shop_strings: ShopStrings,
        parent: QWidget,
        backlight: Backlight,
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self._backlight = backlight
        self._is_exit_asked = False

        # Widgets
        self.volume = Stepper(self, strings.percent)
        self.brightness = Stepper(self, strings.percent)
        self.status = self.line()
        self.order = self.button(self._toggle_order)
        self.exit = self.button(self._exit)

        # Slots and texts
        self.volume.label.set_text(strings.setting(VOLUME))
        self.brightness.label.set_text(strings.setting(BRIGHTNESS))
        self.volume.changed.connect(self._on_volume)
        self.brightness.changed.connect(self._on_brightness)

    def title(self) -> str:
        """Return "Machine" in the current language."""
        return self.strings.machine()

    def start(self) -> None:
        """Show the current settings, and why the brightness cannot be changed."""
        self._is_exit_asked = False
        self._show_values()
        self.status.set_text(
            (self._backlight.problem or "") if self._backlight.is_available else self.strings.no_light()
        )

    def refresh(self) -> None:
        """Update the texts of the buttons. *Exit* is disabled while a device test runs."""
        stopped = "operator" in self.context.shop.snapshot.faults
        self.order.set_text(self.strings.put_back_in_order() if stopped else self.strings.take_out_of_order())
        self.exit.set_text(self.strings.exit(self._is_exit_asked))
        self.exit.setEnabled(self.context.shop.snapshot.test != "running")  # or its result is lost

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Place the steppers, the line of text and the buttons, from top to bottom."""
        gap = metrics.px(theme.GAP)
        bar = QRect(0, self.height() - metrics.touch, self.width(), metrics.touch)
        status_height = metrics.text.px(theme.BODY * 2.4)
        self.status.setGeometry(0, bar.top() - status_height - gap, self.width(), status_height)
        area = QRect(0, 0, self.width(), self.status.y() - gap)
        side_by_side(area, (self.volume, self.brightness), metrics)
        arrange_row(bar, [self.order, self.exit], gap)

    def _show_values(self) -> None:
        self.volume.set_range(self.context.settings.get(VOLUME, self.context.volume), 0, 100, STEP)
        self.brightness.set_range(self._backlight.percent(), MIN_BRIGHTNESS, 100, STEP)
        if self._backlight.problem:
            self.brightness.minus.setEnabled(False)
            self.brightness.plus.setEnabled(False)

    # Slots

    def _on_volume(self, percent: int) -> None:
        self.context.shop.touch(Stay())
        if self._save(VOLUME, percent):
            self.volume_changed.emit(percent)

    def _on_brightness(self, percent: int) -> None:
        self.context.shop.touch(Stay())
        if self._save(BRIGHTNESS, percent):
            self.status.set_text(self._backlight.set_percent(percent) or "")

    def _toggle_order(self) -> None:
        stop = "operator" not in self.context.shop.snapshot.faults
        if self._save(OUT_OF_ORDER, int(stop)):
            self.context.shop.stop_selling(stop)
        self.refresh()

    def _exit(self) -> None:
        if self._is_exit_asked:
            self.exit_requested.emit()
        self._is_exit_asked = True
        self.refresh()

    def _save(self, name: str, value: int) -> bool:
        """Write a setting to the journal, and return whether that succeeded. A failure is shown."""
        try:
            self.context.settings.set(name, value)
        except JournalError as error:
            self.status.set_text(self.strings.journal_error(error))
            self._show_values()  # shows the old values again, because nothing was changed
            return False
        return True
