"""Passes on what the kiosk tells systemd, where a compositor stands between the two.

The kiosk is the compositor's child, not systemd's, which would not notice when it ends. So this is the unit's main
process: it starts the compositor, which starts the kiosk, has the kiosk's notices sent to itself, and ends as they do.

Under X a session of logind (pam_systemd(8)) moves them all into a control group of its own. There systemd hears the
main process alone, and what it does to the unit's processes it does to this one: so a signal that ends this ends the
kiosk.
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
"""A little less than the unit's `TimeoutStopSec`, after which this could do nothing any more."""


class _Kiosk:
    """The compositor that was started, and the kiosk in it once that has said who it is."""

    def __init__(self, compositor: subprocess.Popen[bytes]) -> None:
        self._compositor = compositor
        self._handle: int | None = None
        self._over_at = float("inf")

    def without_its_number(self, message: str) -> str:
        """The notice as this process may send it; that the kiosk is the main process, it may not."""
        lines = message.splitlines()
        for line in lines:
            if line.startswith("MAINPID=") and self._handle is None:
                with suppress(OSError, ValueError):
                    self._handle = os.pidfd_open(int(line.partition("=")[2]))
        return "\n".join(line for line in lines if not line.startswith("MAINPID="))

    def end(self) -> None:
        """Has the kiosk end, which ends a sale first; the compositor ends with it."""
        self._over_at = time.monotonic() + _LONGEST_END_S
        if self._handle is None:
            self._compositor.terminate()
        else:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends both at once."""
        self._signal(signal.SIGKILL)
        self._compositor.kill()

    def kill_if_late(self) -> None:
        if time.monotonic() > self._over_at:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)


def relayed(command: Sequence[str], manager: ServiceManager) -> int:
    """Runs a compositor with the kiosk in it until it ends, and returns its exit status. Raises `OSError`."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        address = str(Path(folder, "notify"))
        ear.bind(address)
        ear.settimeout(_POLL_S)
        compositor = subprocess.Popen(command, env={**os.environ, "NOTIFY_SOCKET": address})
        kiosk = _Kiosk(compositor)
        signal.signal(signal.SIGTERM, lambda *_: kiosk.end())
        signal.signal(signal.SIGABRT, lambda *_: kiosk.kill())  # the watchdog's
        while compositor.poll() is None:
            with suppress(TimeoutError):
                manager.tell(kiosk.without_its_number(ear.recv(4096).decode(errors="replace")))
            kiosk.kill_if_late()
        kiosk.kill()
        ear.setblocking(False)
        with suppress(BlockingIOError):  # its last words
            while True:
                manager.tell(kiosk.without_its_number(ear.recv(4096).decode(errors="replace")))
        return max(compositor.returncode, 0) or int(compositor.returncode < 0)
