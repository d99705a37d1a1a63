"""A machine that a service manager starts: what keeps it from selling is on its screen, for nobody else is near.

Out of order is shown, with one line for the operator, and the start is tried again in this process, ever more seldom,
until it goes through: settings, catalogue, disk or journal may be put right meanwhile. Between two tries nothing is
held, neither the journal's lock nor a device, and in one that fails no device is told anything.

The service manager hears that the machine is ready, that it lives, and why it does not sell. What fails once it has
started ends the process, as ever, and the service manager begins afresh.
"""

from __future__ import annotations

import logging
import traceback
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from kiosk.app.machine import Machine, RunOptions, show, started
from kiosk.common import log_setup
from kiosk.common.click_group import error_message
from kiosk.common.errors import KioskError
from kiosk.config import Config
from kiosk.config.last_good import load_or_last_good
from kiosk.system.display_probe import NoDisplayError, why_no_window
from kiosk.system.watchdog import HealthChecks

log = logging.getLogger(__name__)


def run_alone(path: Path, wish: RunOptions) -> None:
    """Runs the machine whose settings are in `path` until it is told to end. Raises `NoDisplayError`, `WindowError`."""
    log_setup.set_up()  # until the settings say where
    with ExitStack() as running:
        start = _Start(path, wish, running)
        why = start()
        if why and _told_to_end(why, start):
            return
        if start.machine:
            show(start.machine, start.wish)


class _Start:
    """One try after the other, each of which gives what kept it from going through, or nothing."""

    def __init__(self, path: Path, wish: RunOptions, running: ExitStack) -> None:
        self._path = path
        self._running = running
        self._said = ""
        self.wish = wish
        self.config = Config()
        """The last that could be read."""
        self.machine: Machine | None = None
        self.has_screen = False

    def __call__(self) -> str:
        try:
            with ExitStack() as begun:
                self.config, fault = load_or_last_good(self._path)
                wish = replace(self.wish, settings=self._path, settings_fault=fault)
                self.machine = started(self.config, wish, begun, has_screen=self.has_screen)
                self._running.push(begun.pop_all())
                self.wish = wish
        except NoDisplayError:
            raise
        except Exception as error:  # whatever it is, the process's end would help nobody
            why = _error_message(error)
            if why != self._said:
                log.error("the machine cannot sell: %s", why, exc_info=None if _is_expected(error) else error)
            self._said = why
            return why
        return ""


def _told_to_end(why: str, start: _Start) -> bool:
    """Whether that came before the machine started."""
    from kiosk.ui.runtime.event_loop import application, show_until_closed
    from kiosk.ui.runtime.watchdog_timer import WatchdogTimer
    from kiosk.ui.shop.out_of_order import OutOfOrderWindow

    if reason := why_no_window():
        raise NoDisplayError(f"{reason}, nor can the machine sell: {why}")
    app = application()
    start.has_screen = True
    window_config = start.config.window
    others = tuple(language for language in window_config.languages if language != window_config.language)
    window = OutOfOrderWindow(why, start, (window_config.language, *others), large_text=window_config.large_text)
    heart = WatchdogTimer(
        window,
        HealthChecks(
            journal=lambda: True,
            vision=lambda: True,
            busy=lambda: False,
            status=lambda: f"out of order, tried again by itself: {window.reason}",
        ),
    )
    heart.start()
    ended = show_until_closed(app, window, start.wish.seconds)
    if ended:
        heart.stop()
    return ended


def _is_expected(error: Exception) -> bool:
    return isinstance(error, KioskError | OSError)


def _error_message(error: Exception) -> str:
    """In one line. What nobody had thought of says no more than where: its text could hold what the file held."""
    if isinstance(error, KioskError | OSError):
        return error_message(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: please report it, with the log"
