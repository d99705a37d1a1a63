"""Service mode: the hidden gesture, the PIN, and the pages behind it, on top of the customer's window."""

from __future__ import annotations

from PyQt6.QtCore import QElapsedTimer, QEvent, QObject, QTimer

from kiosk.system.backlight import Backlight
from kiosk.ui.service.page import ServiceContext
from kiosk.ui.service.pin_dialog import PinDialog
from kiosk.ui.service.screen import ServiceScreen
from kiosk.ui.shop.window import ShopWindow
from kiosk.ui.translations.service import ServiceStrings
from kiosk.vending.devices.id_check import IdConfirmed, PinVerifier, WrongPin
from kiosk.vending.journal.operator_settings import BRIGHTNESS, OUT_OF_ORDER
from kiosk.vending.sale.events import EnterService, LeaveService, ServicePinRefused
from kiosk.vending.sale.state import Phase
from kiosk.vision.process.messages import VisionMode

TICK_MS = 100


class Service(QObject):
    """Listens for the window's gesture. `pin` knows the service PIN's hash, and slows down who guesses.

    What was set in service mode before the last restart is set again by the beginning.
    """

    def __init__(
        self, window: ShopWindow, context: ServiceContext, pin: PinVerifier, backlight: Backlight | None = None
    ) -> None:
        super().__init__(window)
        self._window = window
        self._context = context
        self._pin = pin
        self._backlight = backlight or Backlight()
        self.strings = ServiceStrings(self)
        self._now = 0.0
        self._admitted = False
        self._openings = 0
        self.screen: ServiceScreen | None = None

        # Widgets
        self.pin_dialog = PinDialog(self.strings, window.strings, window)

        # Slots
        window.service_requested.connect(self.ask_for_pin)
        window.installEventFilter(self)
        self.pin_dialog.entered.connect(pin.enter)
        self.pin_dialog.given_up.connect(self._give_up)

        # What was set before
        if context.settings.get(OUT_OF_ORDER, 0):
            context.shop.stop_selling(True)
        if self._backlight.why_not is None and (brightness := context.settings.get(BRIGHTNESS, 0)):
            self._backlight.set_percent(brightness)

        # Time
        self._clock = QElapsedTimer()
        self._clock.start()
        self.timer = QTimer(self)
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self._on_tick)
        self.timer.start()

    def ask_for_pin(self) -> None:
        """The gesture was made."""
        if self.screen is None and self.pin_dialog.isHidden():
            self._admitted = False
            self._openings += 1
            self._pin.begin(self._who, 0)
            self.pin_dialog.ask()
            self._place()

    @property
    def _who(self) -> str:
        """For whom the PIN is asked, where an attendant's is asked for a sale: whoever opened the gate this time."""
        return f"service-{self._openings}"

    def advance(self, seconds: float) -> None:
        """Let time pass: look at the PIN, open and close the pages, refresh them."""
        self._now += seconds
        if not self.pin_dialog.isHidden():
            self._look_at_pin(seconds)
        in_service = self._context.shop.snapshot.phase is Phase.SERVICE
        if self._admitted:
            self._enter()
        elif self.screen is not None and not in_service:
            self._close()  # its time was up, or the operator left
        elif self.screen is not None:
            self.screen.refresh()

    def leave(self) -> None:
        """Back to the customer's side; not while a test runs."""
        self._context.shop.operate(LeaveService())
        self.advance(0.0)

    def _look_at_pin(self, seconds: float) -> None:
        if not self._admitted:
            for answer in self._pin.poll(self._now):
                if isinstance(answer, WrongPin):
                    self._context.shop.operate(ServicePinRefused(answer.locked_s))
                if answer.sale != self._who:
                    continue  # typed by whoever was here before, and looked at after they had left
                if isinstance(answer, IdConfirmed):
                    self._admitted = True
                elif isinstance(answer, WrongPin):
                    self.pin_dialog.say(self.strings.wrong_pin())
            wait = self._pin.wait_s(self._now)
            if wait > 0 or not self.pin_dialog.pad.isEnabled():
                self.pin_dialog.say("", wait)
        self.pin_dialog.advance(seconds)

    def _enter(self) -> None:
        """Open the pages; while goods or money are on their way that has to wait."""
        self._context.shop.operate(EnterService())
        if self._context.shop.snapshot.phase is not Phase.SERVICE:
            self.pin_dialog.say(self.strings.sale_ends_first())
            return
        self._admitted = False
        self._end_gate()
        self._window.show_sale()  # the customer's language goes before the pages come
        self._context.feed.listening = True
        self._context.feed.set_mode(VisionMode.PRESENCE)
        self.screen = ServiceScreen(self._context, self._window, self._backlight, self.strings, self._window.strings)
        self.screen.leaves.connect(self.leave)
        self.screen.exits.connect(self._window.leave)
        self.screen.volume_changed.connect(self._on_volume)
        self._window.set_service(self.screen)
        self.screen.rescale(self._window.metrics)

    def _close(self) -> None:
        if self.screen is not None:
            self.screen.end()
        self.screen = None
        self._context.feed.listening = False
        self._window.set_service(None)

    def _give_up(self) -> None:
        self._admitted = False
        self._end_gate()

    def _end_gate(self) -> None:
        self._pin.end(self._who)
        self.pin_dialog.pad.clear()
        self.pin_dialog.hide()

    def _on_volume(self, percent: int) -> None:
        self._window.set_volume(percent / 100)

    # Size and time

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        if watched is self._window and event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        if not self.pin_dialog.isHidden():
            mark = self._window.mark  # that all this is only a simulation stays to be read
            top = mark.geometry().bottom() + 1 if mark.text else 0
            self.pin_dialog.setGeometry(self._window.rect().adjusted(0, top, 0, 0))
            self.pin_dialog.arrange(self._window.metrics)
        if self.screen is not None:
            self.screen.rescale(self._window.metrics)

    def _on_tick(self) -> None:
        self.advance(self._clock.restart() / 1000)
