"""An error in a slot ends the window in order, and the process with an error."""

from __future__ import annotations

import subprocess
import sys

import pytest

RUN = """
import logging, sys
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication, QWidget
from kiosk.ui.runtime.crash import WindowError, guard

logging.basicConfig(format="%(message)s")
app = QApplication([])
app.setQuitOnLastWindowClosed(True)
window = QWidget()
window.show()
timer = QTimer()

def fail():
    raise ValueError("a bad\\nday")

def leave():
    LEAVE

timer.timeout.connect(fail)
timer.start(1)
QTimer.singleShot(20000, app.quit)
try:
    with guard(leave):
        app.exec()
except WindowError as error:
    assert isinstance(error.__cause__, ValueError)
    assert not str(error).count("\\n")
    print("in order")
    sys.exit(1)
"""


def run(leave: str) -> subprocess.CompletedProcess[str]:
    code = RUN.replace("LEAVE", leave)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_the_first_error_closes_the_window() -> None:
    done = run("window.close()")
    assert (done.returncode, done.stdout) == (1, "in order\n")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("the window failed: ValueError: a bad day (")


def test_a_window_that_cannot_close_ends_too() -> None:
    done = run("raise RuntimeError('stuck')")
    assert (done.returncode, done.stdout) == (1, "in order\n")
    assert "and could not be closed: RuntimeError: stuck" in done.stderr


def test_nothing_is_left_of_it() -> None:
    from kiosk.ui.runtime.crash import guard

    before = sys.excepthook
    with guard(lambda: None):
        assert sys.excepthook is not before
    assert sys.excepthook is before
    with pytest.raises(KeyError), guard(lambda: None):
        raise KeyError
    assert sys.excepthook is before
