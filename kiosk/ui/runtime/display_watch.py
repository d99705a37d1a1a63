"""Puts the window back on a screen after a display was unplugged, switched off or exchanged.

Without a display Qt keeps the window on a virtual screen. When a display is back, the platform may leave the window
hidden, small or on no screen. Meanwhile a sale goes on and ends by its time-outs.
"""

from __future__ import annotations

import logging

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QWidget

log = logging.getLogger(__name__)

SETTLES_MS = 500
"""Milliseconds to wait, because a display announces size, position and order one after the other."""


class DisplayWatch:
    """Keeps `window` on the primary screen; a `fullscreen` window fills it."""

    def __init__(self, app: QGuiApplication, window: QWidget, *, fullscreen: bool) -> None:
        self._app = app
        self._window = window
        self._fullscreen = fullscreen
        self.timer = QTimer(window)
        self.timer.setSingleShot(True)
        self.timer.setInterval(SETTLES_MS)
        self.timer.timeout.connect(self._put_back)
        app.screenRemoved.connect(self._lost)
        app.screenAdded.connect(self._found)
        app.primaryScreenChanged.connect(self._changed)

    def stop(self) -> None:
        """Stops watching, before the window is deleted."""
        self._app.screenRemoved.disconnect(self._lost)
        self._app.screenAdded.disconnect(self._found)
        self._app.primaryScreenChanged.disconnect(self._changed)

    def _lost(self) -> None:
        log.warning("a display was disconnected")
        self.timer.start()

    def _found(self) -> None:
        log.warning("a display was connected")
        self.timer.start()

    def _changed(self) -> None:
        self.timer.start()

    def _put_back(self) -> None:
        screen = self._app.primaryScreen()
        if screen is None:
            return  # the next one that is connected is reported
        self._window.setScreen(screen)
        if self._fullscreen:
            self._window.setGeometry(screen.geometry())
            self._window.showFullScreen()
        else:
            self._window.resize(self._window.size().boundedTo(screen.availableSize()))
            self._window.show()
