"""Checks whether a window can be shown, before Qt is used, because Qt aborts the program if it cannot."""

from __future__ import annotations

import os
import subprocess
import sys

from kiosk.common.errors import KioskError

_PROBE = "from PyQt6.QtWidgets import QApplication; QApplication([])"
_SECONDS = 20.0


class NoDisplayError(KioskError):
    """No window can be shown here."""


def display_problem() -> str | None:
    """Returns `there is no display` if no display is configured, else None. Starts nothing."""
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    return None if named or sys.platform != "linux" else "there is no display"


def window_problem() -> str | None:
    """Returns one line that says why no window can be shown, or None. Tries it in a separate process."""
    if reason := display_problem():
        return reason
    try:
        # In a separate process, because without a working display or a system library Qt aborts.
        # Not in the current folder, whose files Python would import as modules.
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_SECONDS, cwd="/"
        )
    except subprocess.TimeoutExpired:
        return "the display does not answer"
    if probe.returncode == 0:
        return None
    lines = [line.strip() for line in probe.stderr.splitlines() if line.strip()]
    if any("ImportError" in line for line in lines):
        return f"Qt's system libraries are missing ({lines[-1]}): run `make system-libraries`"
    reason = next((line for line in lines if "display" in line or "plugin" in line), "Qt cannot start")
    return f"the display cannot be used ({reason})"
