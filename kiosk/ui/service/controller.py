"""Opens and closes service mode over the customer's window: the hidden gesture, the PIN and the pages."""

from __future__ import annotations

from PyQt6.QtCore import QElapsedTimer, QEvent, QObject, QTimer

from kiosk.system.backlight import Backlight
from kiosk.ui.service.page import ServiceContext
from kiosk.ui.service.pin_dialog import PinDialog
from kiosk.ui.service.screen import ServiceScreen
from kiosk.ui.shop.window import ShopWindow
from kiosk.ui.translations.service import ServiceStrings
from kiosk.vending.devices.protocols import IdConfirmed, PinVerifier, WrongPin
from kiosk.vending.journal.operator_settings import BRIGHTNESS, OUT_OF_ORDER
from kiosk.vending.sale.events import EnterService, LeaveService, ServicePinRefused
from kiosk.vending.sale.state import Phase
from kiosk.vision.process.messages import VisionMode

TICK_MS = 100
"""Milliseconds between two calls of `advance`."""


class ServiceController(QObject):
    """Opens service mode after the hidden gesture and the right PIN.

    `pin` verifies the service PIN and slows guesses down. The constructor applies the settings that an operator made
    before the last restart: out of order, and the brightness of `backlight`.
    """

    def __init__(
        self, window: ShopWindow, context: ServiceContext, pin: PinVerifier, backlight: Backlight | None = None
    ) -> None:
        super().__init__(window)
        self._window = window
        self.context = context
        self._pin = pin
        self._backlight = backlight or Backlight()
        self.strings = ServiceStrings(self)
        self._now = 0.0
        self._is_admitted = False
        self._request_count = 0
        self.screen: ServiceScreen | None = None

        # Widgets
        self.pin_dialog = PinDialog(self.strings, window.strings, window)

        # Slots
        window.service_requested.connect(self.ask_for_pin)
        window.installEventFilter(self)
        self.pin_dialog.entered.connect(pin.enter)
        self.pin_dialog.cancelled.connect(self._cancel_pin)

        # Settings of the operator
        if context.settings.get(OUT_OF_ORDER, 0):
            context.shop.stop_selling(True)
        if self._backlight.problem is None and (brightness := context.settings.get(BRIGHTNESS, 0)):
            self._backlight.set_percent(brightness)

        # Time
        self._clock = QElapsedTimer()
        self._clock.start()
        self.timer = QTimer(self)
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self._on_tick)
        self.timer.start()

    def ask_for_pin(self) -> None:
        """Open the PIN dialog, unless it or service mode is already open. Called after the hidden gesture."""
        if self.screen is None and self.pin_dialog.isHidden():
            self._is_admitted = False
            self._request_count += 1
            self._pin.begin(self._request_id, 0)
            self.pin_dialog.ask()
            self._arrange()

    @property
    def _request_id(self) -> str:
        """The name of this PIN request. `PinVerifier` expects a sale's; here it changes each time the dialog opens."""
        return f"service-{self._request_count}"

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass: check the PIN, open or close service mode, and refresh the open page."""
        self._now += seconds
        if not self.pin_dialog.isHidden():
            self._poll_pin(seconds)
        in_service = self.context.shop.snapshot.phase is Phase.SERVICE
        if self._is_admitted:
            self._enter()
        elif self.screen is not None and not in_service:
            self._close()  # the sale left the phase: the time was up, or the operator left
        elif self.screen is not None:
            self.screen.refresh()

    def leave(self) -> None:
        """Return to the customer's screens. While a device test runs, nothing happens."""
        self.context.shop.operate(LeaveService())
        self.advance(0.0)

    def _poll_pin(self, seconds: float) -> None:
        if not self._is_admitted:
            for answer in self._pin.poll(self._now):
                if isinstance(answer, WrongPin):
                    self.context.shop.operate(ServicePinRefused(answer.locked_s))
                if answer.sale != self._request_id:
                    continue  # the answer to an earlier request, whose dialog was closed meanwhile
                if isinstance(answer, IdConfirmed):
                    self._is_admitted = True
                elif isinstance(answer, WrongPin):
                    self.pin_dialog.show_result(self.strings.wrong_pin())
            wait = self._pin.wait_s(self._now)
            if wait > 0 or not self.pin_dialog.pad.isEnabled():
                self.pin_dialog.show_result("", wait)
        self.pin_dialog.advance(seconds)

    def _enter(self) -> None:
        """Open the pages, or say that a sale with money or goods on the way must end first."""
        self.context.shop.operate(EnterService())
        if self.context.shop.snapshot.phase is not Phase.SERVICE:
            self.pin_dialog.show_result(self.strings.sale_ends_first())
            return
        self._is_admitted = False
        self._close_pin_dialog()
        self._window.show_sale()  # this restores the machine's language before the pages set their texts
        self.context.feed.is_listening = True
        self.context.feed.set_mode(VisionMode.PRESENCE)
        self.screen = ServiceScreen(self.context, self._window, self._backlight, self.strings, self._window.strings)
        self.screen.leave_requested.connect(self.leave)
        self.screen.exit_requested.connect(self._window.leave)
        self.screen.volume_changed.connect(self._on_volume)
        self._window.set_service(self.screen)
        self.screen.rescale(self._window.metrics)

    def _close(self) -> None:
        if self.screen is not None:
            self.screen.end()
        self.screen = None
        self.context.feed.is_listening = False
        self._window.set_service(None)

    def _cancel_pin(self) -> None:
        self._is_admitted = False
        self._close_pin_dialog()

    def _close_pin_dialog(self) -> None:
        self._pin.end(self._request_id)
        self.pin_dialog.pad.clear()
        self.pin_dialog.hide()

    def _on_volume(self, percent: int) -> None:
        self._window.set_volume(percent / 100)

    # Events

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        if watched is self._window and event is not None and event.type() == QEvent.Type.Resize:
            self._arrange()
        return super().eventFilter(watched, event)

    def _arrange(self) -> None:
        if not self.pin_dialog.isHidden():
            mark = self._window.mark  # the dialog must not cover the note that this is a simulation
            top = mark.geometry().bottom() + 1 if mark.text else 0
            self.pin_dialog.setGeometry(self._window.rect().adjusted(0, top, 0, 0))
            self.pin_dialog.arrange(self._window.metrics)
        if self.screen is not None:
            self.screen.rescale(self._window.metrics)

    def _on_tick(self) -> None:
        self.advance(self._clock.restart() / 1000)
