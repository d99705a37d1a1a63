"""The customer's window: it shows the screen of the sale's phase and the live picture, and connects sale and vision.

At every tick it advances the sale and polls vision. The vision bridge passes on what each may know of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QRect, QSocketNotifier, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QResizeEvent
from PyQt6.QtWidgets import QWidget

from kiosk.config import AgeCheckConfig
from kiosk.estimate import DECADES, AgeGroup, Observation
from kiosk.ui.live.panel import LivePanel
from kiosk.ui.products.images import ProductImages
from kiosk.ui.runtime.event_loop import set_interval, tick_when_readable
from kiosk.ui.runtime.sound import Sounds
from kiosk.ui.shop.locked_window import TICK_MS, LockedWindow
from kiosk.ui.shop.preferences import Appearance, CustomerPreferences
from kiosk.ui.shop.presence import SecretTaps
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.shop.screens.by_phase import ShopScreens
from kiosk.ui.shop.still_there import StillThere
from kiosk.ui.shop.touch_guard import TouchGuard
from kiosk.ui.shop.vision_bridge import VisionBridge, shows_customer
from kiosk.ui.shop.window_layout import window_layout
from kiosk.ui.translations.live import Strings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.animation import LIVE_MS
from kiosk.ui.widgets.metrics import DisplayMetrics, pixels_per_mm
from kiosk.ui.widgets.text import Text
from kiosk.vending.age_check import MIN_FACE_WIDTH
from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.sale.events import Cancel, Stay, Touch
from kiosk.vending.sale.snapshot import Snapshot
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop
from kiosk.vision.process.messages import Vision

SALE_INTERVAL = 0.06
"""Seconds between two ticks of the sale. A touch is passed on at once."""
IDLE_TICK_MS = 66
"""Milliseconds between two ticks while nobody is there: at 15 per second the carousel still glides."""
SOUNDS = {Phase.DECLINED: "sorry", Phase.REFUNDING: "sorry", Phase.DONE: "good", Phase.ASK_ID: "attention"}


class ShopWindow(LockedWindow):
    """The window of a machine that sells.

    `now` is the time in seconds at which `shop` began; the window continues from there. `min_face_width` is in pixels.
    """

    service_requested = pyqtSignal()
    """Emitted after the hidden gesture: five taps in the upper left corner within three seconds."""
    phase_changed = pyqtSignal(object)
    """Emitted with a `Phase`, once its screen is shown."""

    def __init__(
        self,
        shop: Shop,
        vision: Vision,
        catalog: Catalog,
        catalog_path: Path,
        age_check: AgeCheckConfig | None = None,
        appearance: Appearance | None = None,
        *,
        groups: Sequence[AgeGroup] = DECADES,
        min_face_width: int = MIN_FACE_WIDTH,
        now: float = 0.0,
        parent: QWidget | None = None,
    ) -> None:
        appearance = appearance or Appearance()
        super().__init__(parent, locked=appearance.locked)
        age_check = age_check or AgeCheckConfig()
        self.shop = shop
        self._vision = vision
        self._appearance = appearance
        self.vision_bridge = VisionBridge(vision, shop, age_check, appearance.gone_after, min_face_width)
        self._taps = SecretTaps()
        self._sounds = Sounds(enabled=appearance.sound, volume=appearance.volume)
        self._now = now
        self._last_sale_tick = now
        self._phase: Phase | None = None
        self._service: QWidget | None = None
        self._frame_notifier: QSocketNotifier | None = None
        self._panel_arranged_for: tuple[QRect, DisplayMetrics] | None = None
        self._preferences = CustomerPreferences(appearance, self)
        strings = self.strings = ShopStrings(self)
        live_strings = Strings(self)
        strings.counts = live_strings.counts = appearance.counts
        images = ProductImages(catalog, catalog_path)

        # Widgets
        self.mark = Text(self, theme.CAPTION, colour=theme.MARK)
        self.panel = LivePanel(live_strings, strings, groups, self, mirrored=appearance.mirrored)
        self._screens = ShopScreens(
            strings, images, self, self._preferences.languages, camera_checks=age_check.automatic_pass
        )
        self.screens = self._screens.by_phase
        self.still_there = StillThere(strings, self)
        self.touch_guard = TouchGuard(self)

        # Slots
        for screen in self.screens.values():
            screen.touched.connect(self._on_touch)
        self._screens.ask_id.entered.connect(self._on_pin)
        self._preferences.connect_widgets(self._screens.attract, strings, self.panel)
        self._preferences.changed.connect(self._on_preferences_changed)
        self.still_there.stay_requested.connect(lambda: self._on_touch(Stay()))
        self.still_there.leave_requested.connect(lambda: self._on_touch(Cancel()))

        self.setWindowTitle(Strings(self).window_title())
        self.begin()
        self.set_language(self._preferences.first_language)

    # Public

    @property
    def metrics(self) -> DisplayMetrics:
        """The sizes for this window and this customer: text, spaces and touch targets."""
        density = self._appearance.pixels_per_mm or pixels_per_mm(self)
        preferences = self._preferences
        return DisplayMetrics.of(self.size(), density, large_text=preferences.large_text, low=preferences.low_reach)

    def set_service(self, widget: QWidget | None) -> None:
        """Set what phase SERVICE shows. The window owns `widget` and deletes the previous one."""
        if self._service is not None:
            self._service.hide()
            self._service.deleteLater()
        self._service = widget
        if widget is not None:
            widget.setParent(self)
        self._show(self.shop.snapshot)

    def show_sale(self) -> None:
        """Show the sale as it is now, without waiting for the next tick."""
        self._show(self.shop.snapshot)

    def wake_on(self, descriptor: int) -> None:
        """Tick as soon as the file `descriptor` can be read, which vision makes readable with every frame.

        While no picture is shown, the window's own ticks are enough.
        """
        self._frame_notifier = tick_when_readable(descriptor, self.timer, self._on_tick)

    def set_volume(self, volume: float) -> None:
        """Set the volume of all sounds, from 0 to 1."""
        self._sounds.set_volume(volume)

    def set_language(self, code: str) -> None:
        """Show every text in the language `code` from now on."""
        self._preferences.set_language(code)
        self._show(self.shop.snapshot)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass: poll vision, tick the sale, show what changed and move the animations."""
        self._now += seconds
        self.touch_guard.advance(seconds)
        observations = self._vision.poll()
        self._show_vision(observations)
        is_sale_due = self._now - self._last_sale_tick >= SALE_INTERVAL or seconds >= SALE_INTERVAL
        if is_sale_due:
            self._last_sale_tick = self._now
            self.shop.tick(self._now)
        if is_sale_due or observations:
            self.vision_bridge.process(observations, self.shop.snapshot, self._now)
            if self._phase is Phase.ATTRACT and self._preferences.is_abandoned(self._now):
                self._preferences.reset()
            self._show(self.shop.snapshot)
        set_interval(self.timer, self._tick_ms)
        if self._frame_notifier is not None:
            self._frame_notifier.setEnabled(not self.panel.isHidden())
        if self.panel.isVisible():
            self.panel.advance(seconds)
        if screen := self._screen:
            screen.advance(seconds)

    @property
    def _tick_ms(self) -> int:
        """Milliseconds between two ticks, as short as the shown animations need."""
        if self.panel.view.is_moving and not self.panel.isHidden():
            return LIVE_MS
        is_idle = self._phase is Phase.ATTRACT and not self._screens.attract.carousel.is_slowed
        return IDLE_TICK_MS if is_idle else TICK_MS

    @property
    def _screen(self) -> Screen | None:
        """The screen that is shown. None in service mode and before the first one."""
        return self.screens.get(self._phase) if self._phase else None

    # Vision

    def _show_vision(self, observations: Sequence[Observation]) -> None:
        if observations:
            self._screens.attract.carousel.is_slowed = bool(observations[-1].faces)
        preview = self._vision.preview()
        self.panel.show_state(self._vision.state)
        if not self.panel.isHidden():
            if preview is not None:
                self.panel.show_preview(preview)
            if observations:
                self.panel.show_observation(observations[-1])

    # Screens

    def _show(self, snapshot: Snapshot) -> None:
        phase = snapshot.phase
        is_new_phase = phase is not self._phase
        if is_new_phase:
            self._leave_phase(snapshot)
            self._phase = phase
        has_panel = shows_customer(snapshot)
        self.vision_bridge.update_mode(snapshot)
        if has_panel == self.panel.isHidden():
            self.panel.setVisible(has_panel)
            self.touch_guard.block()
            if not has_panel:
                self.panel.clear()
        self._arrange(snapshot)
        if self._service is not None:
            self._service.setVisible(phase is Phase.SERVICE)
        self._screens.hide_all_except(phase)
        if phase in self.screens:
            if check := self.vision_bridge.check:
                self._screens.age_check.show_progress(check.prompt, check.progress)
            self.screens[phase].show_snapshot(snapshot, self.metrics)
            self.screens[phase].show()
        self._ask_still_there(snapshot)
        if is_new_phase:
            self.touch_guard.block()
            if phase in SOUNDS:
                self._sounds.play(SOUNDS[phase])
            self.phase_changed.emit(phase)

    def _leave_phase(self, snapshot: Snapshot) -> None:
        """Clear what belongs to the previous phase, and everything of the customer when they leave."""
        if screen := self._screen:
            screen.forget()
        if snapshot.phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER, Phase.SERVICE):
            self.vision_bridge.forget()
            self.panel.clear()
            self._screens.forget()
            self._preferences.reset_aids()
            if snapshot.phase is not Phase.OUT_OF_ORDER and self._phase is not None:
                self._preferences.reset()

    def _ask_still_there(self, snapshot: Snapshot) -> None:
        """Show or hide the question, which the sale's timeout or a missing face asks. The earlier end counts."""
        timeouts = [snapshot.seconds_left] if snapshot.asks_whether_there else []
        timeouts.append(self.vision_bridge.seconds_left(snapshot, self._now))
        pending = [seconds for seconds in timeouts if seconds is not None]
        if pending and self.still_there.isHidden():
            self._sounds.play("attention")
        self.still_there.setGeometry(self.rect())
        changes = bool(pending) == self.still_there.isHidden()
        self.still_there.ask(min(pending) if pending else None, self.metrics)
        if changes:
            self.touch_guard.block()

    def _arrange(self, snapshot: Snapshot) -> None:
        metrics = self.metrics
        self.mark.rescale(metrics)
        self.mark.set_text(self.strings.simulated() if snapshot.simulated else "")
        layout = window_layout(
            self.size(),
            metrics,
            mark_height=self.mark.height_for(self.width()),
            has_panel=not self.panel.isHidden(),
            is_checking=snapshot.phase is Phase.AGE_CHECK,
        )
        self.mark.setGeometry(layout.mark)
        if (layout.panel, metrics) != self._panel_arranged_for and not self.panel.isHidden():
            self._panel_arranged_for = layout.panel, metrics
            self.panel.setGeometry(layout.panel)
            self.panel.arrange(metrics)
        if screen := self._screen:
            screen.setGeometry(layout.screen)
            screen.reach = layout.reach
        if self._service is not None:
            self._service.setGeometry(layout.screen)

    # Slots

    def _on_touch(self, touch: Touch) -> None:
        self._sounds.play("touch")
        self._taps.clear()
        self.vision_bridge.record_touch(self._now)
        self.shop.touch(touch)
        self._show(self.shop.snapshot)

    def _on_pin(self, pin: str) -> None:
        self.shop.enter_pin(pin)

    def _on_preferences_changed(self) -> None:
        self._preferences.record_touch(self._now)
        self.vision_bridge.record_touch(self._now)
        self.touch_guard.block()
        self._show(self.shop.snapshot)

    # Events

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._show(self.shop.snapshot)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Handle a touch that hit no button: somebody is there, and it may belong to the hidden gesture."""
        self.vision_bridge.record_touch(self._now)
        self._preferences.record_touch(self._now)
        self.shop.touch(Stay())
        if event is None:
            return
        corner = round(self.metrics.touch * 1.3)
        if not QRect(0, 0, corner, corner).contains(event.position().toPoint()):
            self._taps.clear()
        elif self._taps.tap(self._now):
            self.service_requested.emit()

    def clean_up(self) -> None:
        """Remove the translator and the live picture."""
        self._preferences.remove_translator()
        self.panel.clear()
