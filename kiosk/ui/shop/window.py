"""The machine's window: the screen of the sale's phase, the live picture for whoever wants it, and no way out.

It ticks the sale and vision, and tells each what the other may know: vision, what it may do with whom it sees; the
sale, what the age check made of the customer and that nobody is there any more.
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
from kiosk.ui.runtime.event_loop import tick_every, tick_on_news
from kiosk.ui.runtime.sound import Sounds
from kiosk.ui.shop.appearance import Appearance
from kiosk.ui.shop.locked_window import TICK_MS, LockedWindow
from kiosk.ui.shop.preferences import CustomerPreferences
from kiosk.ui.shop.presence import SecretTaps
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.shop.screens.by_phase import ShopScreens
from kiosk.ui.shop.still_there import StillThere
from kiosk.ui.shop.touch_guard import TouchGuard
from kiosk.ui.shop.vision_bridge import VisionBridge, is_pictured
from kiosk.ui.shop.window_layout import places_for
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

__all__ = ["Appearance", "ShopWindow"]

SHOP_EVERY = 0.06
"""Seconds between two ticks of the sale; a touch is told at once."""
UNWATCHED_MS = 66
"""Between two ticks while nobody is there: at fifteen a second the pictures that go by still glide."""
TUNES = {Phase.DECLINED: "sorry", Phase.REFUNDING: "sorry", Phase.DONE: "good", Phase.ASK_ID: "attention"}


class ShopWindow(LockedWindow):
    """`now` is the time that `shop` was begun at; from there on the window's own timer counts."""

    service_requested = pyqtSignal()
    """Somebody made the hidden gesture: five taps in the upper left corner within three seconds."""
    phase_changed = pyqtSignal(object)
    """A `Phase`, once its screen is shown."""

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
        self._shop = shop
        self._vision = vision
        self._appearance = appearance
        age_check = age_check or AgeCheckConfig()
        self._vision_bridge = VisionBridge(vision, shop, age_check, self._appearance.gone_after, min_face_width)
        self._taps = SecretTaps()
        self._sounds = Sounds(on=self._appearance.sound, volume=self._appearance.volume)
        self._now = now
        self._ticked = now
        self._phase: Phase | None = None
        self._service: QWidget | None = None
        self._news: QSocketNotifier | None = None
        self._panel_place: tuple[QRect, DisplayMetrics] | None = None
        self._preferences = CustomerPreferences(self._appearance, self)
        strings = self.strings = ShopStrings(self)
        live_strings = Strings(self)
        strings.counts = live_strings.counts = self._appearance.counts
        images = ProductImages(catalog, catalog_path)

        # Widgets
        self.mark = Text(self, theme.CAPTION, colour=theme.MARK)
        self.panel = LivePanel(live_strings, strings, groups, self, mirrored=self._appearance.mirrored)
        languages, checks = self._preferences.languages, age_check.automatic_pass
        self._all = ShopScreens(strings, images, self, languages, camera_checks=checks)
        self.screens = self._all.by_phase
        self.still_there = StillThere(strings, self)
        self.touch_guard = TouchGuard(self)

        # Slots
        for screen in self.screens.values():
            screen.touched.connect(self._on_touch)
        self._all.ask_id.entered.connect(self._on_pin)
        self._preferences.serve(self._all.attract, strings, self.panel)
        self._preferences.changed.connect(self._on_choice)
        self.still_there.stays.connect(lambda: self._on_touch(Stay()))
        self.still_there.leaves.connect(lambda: self._on_touch(Cancel()))

        self.setWindowTitle(Strings(self).window_title())
        self.begin()
        self.set_language(self._preferences.first_language)

    # For whoever runs it

    @property
    def metrics(self) -> DisplayMetrics:
        density = self._appearance.pixels_per_mm or pixels_per_mm(self)
        return DisplayMetrics.of(
            self.size(), density, large_text=self._preferences.large_text, low=self._preferences.low_reach
        )

    def set_service(self, widget: QWidget | None) -> None:
        """What phase SERVICE shows; the window owns it until another takes its place."""
        if self._service is not None:
            self._service.hide()
            self._service.deleteLater()
        self._service = widget
        if widget is not None:
            widget.setParent(self)
        self._show(self._shop.snapshot)

    def show_sale(self) -> None:
        """What the sale is now, at once and not with the next tick."""
        self._show(self._shop.snapshot)

    def wake_on(self, descriptor: int) -> None:
        """Show a picture as soon as this can be read; while none is shown, the window's own ticks are often enough."""
        self._news = tick_on_news(descriptor, self.timer, self._on_tick)

    def set_volume(self, volume: float) -> None:
        """From 0 to 1."""
        self._sounds.set_volume(volume)

    def set_language(self, code: str) -> None:
        """Say everything in this language from now on."""
        self._preferences.speak(code)
        self._show(self._shop.snapshot)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass: ask vision and sale what is new, show it, move everything on."""
        self._now += seconds
        self.touch_guard.advance(seconds)
        observations = self._vision.poll()
        self._see(observations)
        due = self._now - self._ticked >= SHOP_EVERY or seconds >= SHOP_EVERY
        if due:
            self._ticked = self._now
            self._shop.tick(self._now)
        if due or observations:
            self._vision_bridge.judge(observations, self._shop.snapshot, self._now)
            if self._phase is Phase.ATTRACT and self._preferences.abandoned(self._now):
                self._preferences.forget()
            self._show(self._shop.snapshot)
        tick_every(self.timer, self._tick_ms)
        if self._news is not None:
            self._news.setEnabled(not self.panel.isHidden())
        if self.panel.isVisible():
            self.panel.advance(seconds)
        if screen := self._screen:
            screen.advance(seconds)

    @property
    def _tick_ms(self) -> int:
        """As often as what is shown moves."""
        if self.panel.view.moving and not self.panel.isHidden():
            return LIVE_MS
        unwatched = self._phase is Phase.ATTRACT and not self._all.attract.conveyor.noticed
        return UNWATCHED_MS if unwatched else TICK_MS

    @property
    def _screen(self) -> Screen | None:
        """What is shown; None in service mode, and before anything is."""
        return self.screens.get(self._phase) if self._phase else None

    # Vision

    def _see(self, observations: Sequence[Observation]) -> None:
        if observations:
            self._all.attract.conveyor.noticed = bool(observations[-1].faces)
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
        entered = phase is not self._phase
        if entered:
            self._leave_phase(snapshot)
            self._phase = phase
        pictured = is_pictured(snapshot)
        self._vision_bridge.allow(snapshot)
        if pictured == self.panel.isHidden():
            self.panel.setVisible(pictured)
            self.touch_guard.rise()
            if not pictured:
                self.panel.clear()
        self._place(snapshot)
        if self._service is not None:
            self._service.setVisible(phase is Phase.SERVICE)
        self._all.hide_but(phase)
        if phase in self.screens:
            if check := self._vision_bridge.check:
                self._all.age_check.show_progress(check.prompt, check.progress)
            self.screens[phase].show_snapshot(snapshot, self.metrics)
            self.screens[phase].show()
        self._ask_whether_there(snapshot)
        if entered:
            self.touch_guard.rise()
            if phase in TUNES:
                self._sounds.play(TUNES[phase])
            self.phase_changed.emit(phase)

    def _leave_phase(self, snapshot: Snapshot) -> None:
        """On the way from one phase to another: forget what belongs to the one before, or to the one who left."""
        if screen := self._screen:
            screen.forget()
        if snapshot.phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER, Phase.SERVICE):
            self._vision_bridge.forget()
            self.panel.clear()
            self._all.forget()
            self._preferences.forget_aids()
            if snapshot.phase is not Phase.OUT_OF_ORDER and self._phase is not None:
                self._preferences.forget()

    def _ask_whether_there(self, snapshot: Snapshot) -> None:
        left = [snapshot.seconds_left] if snapshot.asks_whether_there else []
        left.append(self._vision_bridge.seconds_left(snapshot, self._now))
        waits = [seconds for seconds in left if seconds is not None]
        if waits and self.still_there.isHidden():
            self._sounds.play("attention")
        self.still_there.setGeometry(self.rect())
        changes = bool(waits) == self.still_there.isHidden()
        self.still_there.ask(min(waits) if waits else None, self.metrics)
        if changes:
            self.touch_guard.rise()

    def _place(self, snapshot: Snapshot) -> None:
        metrics = self.metrics
        self.mark.rescale(metrics)
        self.mark.say(self.strings.simulated() if snapshot.simulated else "")
        places = places_for(
            self.size(),
            metrics,
            mark=self.mark.height_for(self.width()),
            pictured=not self.panel.isHidden(),
            checking=snapshot.phase is Phase.AGE_CHECK,
        )
        self.mark.setGeometry(places.mark)
        if (places.panel, metrics) != self._panel_place and not self.panel.isHidden():
            self._panel_place = places.panel, metrics
            self.panel.setGeometry(places.panel)
            self.panel.arrange(metrics)
        if screen := self._screen:
            screen.setGeometry(places.screen)
            screen.reach = places.reach
        if self._service is not None:
            self._service.setGeometry(places.screen)

    # Slots

    def _on_touch(self, touch: Touch) -> None:
        self._sounds.play("touch")
        self._taps.clear()
        self._vision_bridge.touched(self._now)
        self._shop.touch(touch)
        self._show(self._shop.snapshot)

    def _on_pin(self, pin: str) -> None:
        self._shop.enter_pin(pin)

    def _on_choice(self) -> None:
        self._preferences.touched(self._now)
        self._vision_bridge.touched(self._now)
        self.touch_guard.rise()
        self._show(self._shop.snapshot)

    # Events

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._show(self._shop.snapshot)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """A touch that no button took: somebody is there, and perhaps knows the corner."""
        self._vision_bridge.touched(self._now)
        self._preferences.touched(self._now)
        self._shop.touch(Stay())
        if event is None:
            return
        corner = round(self.metrics.touch * 1.3)
        if not QRect(0, 0, corner, corner).contains(event.position().toPoint()):
            self._taps.clear()
        elif self._taps.tap(self._now):
            self.service_requested.emit()

    def left(self) -> None:
        self._preferences.silence()
        self.panel.clear()
