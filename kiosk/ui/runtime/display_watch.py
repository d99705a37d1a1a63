"""A display that is unplugged, switched off at its cable or exchanged: the window is put back on whatever there is.

Without a screen Qt keeps a window on a made-up one, and the platform may leave it hidden, small or on no screen at all
when the display is there again. Meanwhile the sale goes on, and ends by its time-outs as one that nobody touches.
"""

from __future__ import annotations

import logging

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QWidget

log = logging.getLogger(__name__)

SETTLES_MS = 500
"""A display announces itself several times: size, place and which one is the first come one after the other."""


class DisplayWatch:
    """Keeps `window` on the first screen; one that is `fullscreen` fills it, whatever its size is by now."""

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
        """The window is about to go: no display concerns it any more."""
        self._app.screenRemoved.disconnect(self._lost)
        self._app.screenAdded.disconnect(self._found)
        self._app.primaryScreenChanged.disconnect(self._changed)

    def _lost(self) -> None:
        log.warning("a display is gone")
        self.timer.start()

    def _found(self) -> None:
        log.warning("a display is there")
        self.timer.start()

    def _changed(self) -> None:
        self.timer.start()

    def _put_back(self) -> None:
        screen = self._app.primaryScreen()
        if screen is None:
            return  # the next one that is found is heard of
        self._window.setScreen(screen)
        if self._fullscreen:
            self._window.setGeometry(screen.geometry())
            self._window.showFullScreen()
        else:
            self._window.resize(self._window.size().boundedTo(screen.availableSize()))
            self._window.show()
