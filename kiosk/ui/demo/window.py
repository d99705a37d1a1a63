"""The demo window: the live image, the estimate beside it, and the state of vision.

It polls vision on a timer; it neither starts nor stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PyQt6.QtCore import QElapsedTimer, QEvent, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QWidget

from kiosk.estimate import DECADES, AgeGroup
from kiosk.ui.demo.frame_meter import FrameWatch
from kiosk.ui.live.estimate_panel import EstimatePanel
from kiosk.ui.live.panel import show_observation
from kiosk.ui.live.view import LiveView
from kiosk.ui.runtime.event_loop import application, set_interval, show_until_closed, tick_when_readable
from kiosk.ui.translations.live import Strings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.animation import LIVE_FOR, LIVE_MS, STILL_MS, Pace
from kiosk.ui.widgets.theme import Scale
from kiosk.vision.process.messages import Vision, VisionState

PACE_EVERY = 0.5
"""Seconds between two updates of frame rate and latency: faster ones cannot be read."""
WINDOW_SIZE = QSize(1280, 800)
BESIDE = 57.0
"""The width of the panel beside the image, in units."""
BELOW, BELOW_SHARE = 58.0, 0.34
"""The height of the panel below the image: its least in units, and its share of a tall window."""
PICTURED = (VisionState.RUNNING, VisionState.ENDED)
"""The states in which the image stays. In others it is removed at once, so that no face remains on the screen."""


class DemoWindow(QWidget):
    """Shows the results of `vision`. `groups` are the age groups to show before the first estimate."""

    failed = pyqtSignal(str)
    """Emitted with the fault when vision reaches the state FAILED."""
    closed = pyqtSignal()
    """Emitted when the window no longer uses vision."""

    def __init__(
        self,
        vision: Vision,
        *,
        fullscreen: bool = False,
        mirrored: bool = True,
        groups: Sequence[AgeGroup] = DECADES,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._vision = vision
        self._state: VisionState | None = None
        self._fault: str | None = None
        self._told_failed = False
        self._nearest: int | None = None
        self._pace = Pace()
        self._pace_age = 0.0
        self._still_for = 0.0
        self._is_woken = False
        strings = Strings(self)
        self._strings = strings

        # Widgets
        self.view = LiveView(strings, mirrored=mirrored, parent=self)
        self.panel = EstimatePanel(strings, groups, self)

        # Layout
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        self._box.setSizeConstraint(QBoxLayout.SizeConstraint.SetNoConstraint)
        self._box.addWidget(self.view, 1)
        self._box.addWidget(self.panel)

        # Appearance
        self.setWindowTitle(strings.window_title())
        theme.fill_ground(self, theme.GROUND)
        self.resize(WINDOW_SIZE)
        if fullscreen:
            self.setWindowState(self.windowState() | Qt.WindowState.WindowFullScreen)

        # Time
        self._clock = QElapsedTimer()
        self._clock.start()
        self.timer = QTimer(self)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(LIVE_MS)
        self.timer.timeout.connect(self._on_tick)
        self.timer.start()
        self._show_state()

    @property
    def upright(self) -> bool:
        """Whether the window is taller than wide, so that the panel is below the image."""
        return self.height() > self.width()

    def wake_on(self, descriptor: int) -> None:
        """Also polls vision when `descriptor` is readable, so that an image is shown at once."""
        self._is_woken = True
        self._news = tick_when_readable(descriptor, self.timer, self._on_tick)

    def advance(self, seconds: float) -> None:
        """Polls vision, shows what is new, and advances the animations by `seconds`."""
        observations = self._vision.poll()
        self._show_state()
        for observation in observations:
            self._pace.add(observation)
        preview = self._vision.preview()
        if preview is not None and self._state in PICTURED:
            self.view.set_preview(preview)
        if observations and self._state is VisionState.RUNNING:
            self._nearest = show_observation(observations[-1], self._nearest, self.view, self.panel, self._strings)
        self._show_pace(seconds)
        self.view.advance(seconds)
        self.panel.advance(seconds)
        news = not self._is_woken and (bool(observations) or preview is not None)
        self._still_for = 0.0 if news or self.view.is_moving else self._still_for + seconds
        set_interval(self.timer, LIVE_MS if self._still_for < LIVE_FOR else STILL_MS)
        if self._state is VisionState.FAILED and not self._told_failed:
            self._told_failed = True
            self.failed.emit(self._fault or "")

    # What vision says

    def _show_state(self) -> None:
        state, fault = self._vision.state, self._vision.fault
        if (state, fault) == (self._state, self._fault):
            return
        entered = state is not self._state
        self._state, self._fault = state, fault
        self.view.set_notice(self._strings.notice(state), self._strings.fault(fault))
        if not entered:
            return
        if state is VisionState.RUNNING:
            self.panel.show_sentence(self._strings.invitation())
        else:
            self._nearest = None
            self._pace.clear()
            self.view.clear_faces()
            if state not in PICTURED:
                self.view.clear_picture()
            self.view.set_pace("")
            self.panel.show_sentence(self._strings.idle(state))

    def _show_pace(self, seconds: float) -> None:
        self._pace_age += seconds
        if self._pace_age < PACE_EVERY:
            return
        fps, latency = self._pace.fps, self._pace.latency_ms
        if fps is not None and latency is not None:
            self._pace_age = 0.0
            on_reserve = self._vision.engine_fault is not None
            self.view.set_pace(self._strings.pace(fps, latency, on_reserve=on_reserve))

    # Slots

    def _on_tick(self) -> None:
        self.advance(self._clock.restart() / 1000)

    # Events

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        scale = Scale.of(self.size())
        upright = self.upright
        self._box.setDirection(QBoxLayout.Direction.TopToBottom if upright else QBoxLayout.Direction.LeftToRight)
        if upright:
            self.panel.setFixedSize(self.width(), max(scale.px(BELOW), round(self.height() * BELOW_SHARE)))
        else:
            self.panel.setFixedSize(scale.px(BESIDE), self.height())
        self.view.rescale(scale)
        self.panel.rescale(scale, upright=upright)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.WindowStateChange:
            if self.isFullScreen():
                self.setCursor(Qt.CursorShape.BlankCursor)
            else:
                self.unsetCursor()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        super().closeEvent(event)
        self.timer.stop()
        self.closed.emit()
        self.view.clear_picture()  # it is in shared memory that is freed with vision

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        key = event.key() if event is not None else None
        if key in (Qt.Key.Key_Escape, Qt.Key.Key_Q):
            self.close()
        elif key in (Qt.Key.Key_F, Qt.Key.Key_F11):
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        else:
            super().keyPressEvent(event)


def run(
    vision: Vision,
    *,
    fullscreen: bool,
    seconds: float | None = None,
    mirrored: bool = True,
    groups: Sequence[AgeGroup] = DECADES,
    wake_on: int | None = None,
    tell: Callable[[dict[str, Any]], None] | None = None,
) -> int:
    """Shows `vision` until the window is closed, a signal comes, or `seconds` are over; returns 1 if vision failed.

    `wake_on` is a descriptor that is readable when vision has news. `tell` receives the report of `FrameWatch` at the
    end. Raises `WindowError` for an error in a slot.
    """
    app = application()
    window = DemoWindow(vision, fullscreen=fullscreen, mirrored=mirrored, groups=groups)
    window.failed.connect(window.close)  # the caller reports the fault
    fit_screen(window)
    if wake_on is not None:
        window.wake_on(wake_on)
    reports: list[dict[str, Any]] = []
    if tell:
        watch = FrameWatch(window, lambda: window.view.pictures)
        window.closed.connect(lambda: reports.append(watch.report()))
    show_until_closed(app, window, seconds)
    if tell and reports:
        tell(reports[-1])
    return 1 if vision.state is VisionState.FAILED else 0


def fit_screen(window: QWidget) -> None:
    """Reduces `window` to the available size of its screen."""
    screen = window.screen()
    if screen is not None:
        window.resize(window.size().boundedTo(screen.availableSize()))
