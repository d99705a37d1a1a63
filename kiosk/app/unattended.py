"""Runs an unattended machine, which a service manager starts, and shows on its screen why it cannot sell.

The screen shows *out of order* and one line for the operator. The start is tried again in this process, at growing
intervals, until it succeeds: settings, catalogue, disk or journal may have been repaired. Between two attempts nothing
is held, neither the journal's lock nor a device, and a failing attempt sends nothing to a device.

The service manager is notified that the machine is ready and alive, and why it does not sell. An error after the start
ends the process, and the service manager starts it again.
"""

from __future__ import annotations

import logging
import traceback
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from kiosk.app.machine import Machine, RunOptions, show, start_machine
from kiosk.common import log_setup
from kiosk.common.click_group import error_message
from kiosk.common.errors import KioskError
from kiosk.config import Config
from kiosk.config.last_good import load_or_last_good
from kiosk.system.display_probe import NoDisplayError, window_problem
from kiosk.system.watchdog import HealthChecks

log = logging.getLogger(__name__)


def run_unattended(path: Path, options: RunOptions) -> None:
    """Runs the machine with the settings in `path` until it is stopped. Raises `NoDisplayError`, `WindowError`."""
    log_setup.set_up()  # until the settings are read
    with ExitStack() as running:
        start = _Start(path, options, running)
        why = start()
        if why and _wait_for_start(why, start):
            return
        if start.machine:
            show(start.machine, start.options)


class _Start:
    """Each call tries to start the machine; it returns why that failed, or an empty text."""

    def __init__(self, path: Path, options: RunOptions, running: ExitStack) -> None:
        self._path = path
        self._running = running
        self._said = ""
        self.options = options
        self.config = Config()
        """The last settings that could be read."""
        self.machine: Machine | None = None
        self.has_screen = False

    def __call__(self) -> str:
        try:
            with ExitStack() as begun:
                self.config, fault = load_or_last_good(self._path)
                options = replace(self.options, settings=self._path, settings_fault=fault)
                self.machine = start_machine(self.config, options, begun, has_screen=self.has_screen)
                self._running.push(begun.pop_all())
                self.options = options
        except NoDisplayError:
            raise
        except Exception as error:  # of any kind: ending the process would not help
            why = _error_message(error)
            if why != self._said:
                log.error("the machine cannot sell: %s", why, exc_info=None if _is_expected(error) else error)
            self._said = why
            return why
        return ""


def _wait_for_start(why: str, start: _Start) -> bool:
    """Shows *out of order* until a start succeeds; returns whether the process was asked to end instead."""
    from kiosk.ui.runtime.event_loop import application, show_until_closed
    from kiosk.ui.runtime.watchdog_timer import WatchdogTimer
    from kiosk.ui.shop.out_of_order import OutOfOrderWindow

    if reason := window_problem():
        raise NoDisplayError(f"{reason}, and the machine cannot sell: {why}")
    app = application()
    start.has_screen = True
    window_config = start.config.window
    others = tuple(language for language in window_config.languages if language != window_config.language)
    window = OutOfOrderWindow(why, start, (window_config.language, *others), large_text=window_config.large_text)
    watchdog = WatchdogTimer(
        window,
        HealthChecks(
            journal=lambda: True,
            vision=lambda: True,
            busy=lambda: False,
            status=lambda: f"out of order, the start is tried again: {window.reason}",
        ),
    )
    watchdog.start()
    ended = show_until_closed(app, window, start.options.seconds)
    if ended:
        watchdog.stop()
    return ended


def _is_expected(error: Exception) -> bool:
    return isinstance(error, KioskError | OSError)


def _error_message(error: Exception) -> str:
    """Returns one line. For an unexpected error it names only the place, because its text could hold private data."""
    if isinstance(error, KioskError | OSError):
        return error_message(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}: please report it, with the log"
