"""Whether a window can be shown here, asked before Qt is, because Qt ends the program when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys

from kiosk.common.errors import KioskError

_PROBE = "from PyQt6.QtWidgets import QApplication; QApplication([])"
_SECONDS = 20.0


class NoDisplayError(KioskError):
    """There is nothing to show a window on."""


def why_no_display() -> str | None:
    """The one reason against a window that is known without trying."""
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    return None if named or sys.platform != "linux" else "there is no display"


def why_no_window() -> str | None:
    """One line about what a window lacks here, or None where one can be shown."""
    if reason := why_no_display():
        return reason
    try:
        # In a process of its own: without a working display or a system library, Qt aborts.
        # Not in the present folder, whose files Python would take for modules.
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
