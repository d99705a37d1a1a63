"""Forwards the kiosk's notifications to systemd when a compositor runs between the two.

The kiosk is the compositor's child and not systemd's, so systemd would not notice when it ends. Therefore this process
is the unit's main process. It starts the compositor, which starts the kiosk; it receives the kiosk's notifications; and
it ends when they end.

Under X, a session of logind (pam_systemd(8)) moves all of them into another control group. There systemd accepts
notifications only from the main process, and signals only this process. So a signal that ends this one ends the kiosk.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kiosk.system.sd_notify import ServiceManager

_POLL_S = 0.5
_LONGEST_END_S = 220.0
"""Seconds, a little less than the unit's `TimeoutStopSec`, after which systemd kills this process."""


class _Kiosk:
    """The compositor, and the kiosk in it once its process ID is known."""

    def __init__(self, compositor: subprocess.Popen[bytes]) -> None:
        self._compositor = compositor
        self._handle: int | None = None
        self._over_at = float("inf")

    def handle_notice(self, message: str) -> str:
        """Returns a notification to forward, without MAINPID, and stores the kiosk's process ID from it."""
        lines = message.splitlines()
        for line in lines:
            if line.startswith("MAINPID=") and self._handle is None:
                with suppress(OSError, ValueError):
                    self._handle = os.pidfd_open(int(line.partition("=")[2]))
        return "\n".join(line for line in lines if not line.startswith("MAINPID="))

    def end(self) -> None:
        """Asks the kiosk to end, which first ends a sale. The compositor ends with it."""
        self._over_at = time.monotonic() + _LONGEST_END_S
        if self._handle is None:
            self._compositor.terminate()
        else:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kills both at once."""
        self._signal(signal.SIGKILL)
        self._compositor.kill()

    def kill_if_overdue(self) -> None:
        """Kills both if `end` was called `_LONGEST_END_S` ago."""
        if time.monotonic() > self._over_at:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)


def run_relayed(command: Sequence[str], manager: ServiceManager) -> int:
    """Runs a compositor with the kiosk in it until it ends; returns its exit status. Raises `OSError`."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        address = str(Path(folder, "notify"))
        receiver.bind(address)
        receiver.settimeout(_POLL_S)
        compositor = subprocess.Popen(command, env={**os.environ, "NOTIFY_SOCKET": address})
        kiosk = _Kiosk(compositor)
        signal.signal(signal.SIGTERM, lambda *_: kiosk.end())
        signal.signal(signal.SIGABRT, lambda *_: kiosk.kill())  # sent by systemd's watchdog
        while compositor.poll() is None:
            with suppress(TimeoutError):
                manager.notify(kiosk.handle_notice(receiver.recv(4096).decode(errors="replace")))
            kiosk.kill_if_overdue()
        kiosk.kill()
        receiver.setblocking(False)
        with suppress(BlockingIOError):  # the last notifications
            while True:
                manager.notify(kiosk.handle_notice(receiver.recv(4096).decode(errors="replace")))
        return max(compositor.returncode, 0) or int(compositor.returncode < 0)
