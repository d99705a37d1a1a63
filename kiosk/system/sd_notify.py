"""Notifies systemd that the kiosk is ready, alive or stopping, and of its status.

The protocol is sd_notify(3): a datagram of `NAME=value` lines to the socket named by `NOTIFY_SOCKET`. Without that
variable, nothing is sent.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class ServiceManager:
    """The service manager that started the program, if any."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _seconds(environment.get("WATCHDOG_USEC", ""))
        """Seconds without `alive` after which the program is restarted; 0 without a watchdog.

        WATCHDOG_PID is ignored: under a compositor it is the compositor's, and the kiosk is what must be alive.
        """
        self._status = ""

    @property
    def listens(self) -> bool:
        """Whether there is a service manager."""
        return bool(self._address)

    def ready(self) -> None:
        """Reports that the machine is ready. From now on systemd watches and stops this process, not a compositor."""
        self.notify(f"READY=1\nMAINPID={os.getpid()}")

    def alive(self) -> None:
        """Resets the watchdog."""
        self.notify("WATCHDOG=1")

    def stopping(self) -> None:
        """Reports that the program is ending."""
        self.notify("STOPPING=1")

    def status(self, line: str) -> None:
        """Sets the line in `systemctl status`; sends it only when it changes."""
        if line != self._status:
            self._status = line
            self.notify(f"STATUS={' '.join(line.split())}")

    def notify(self, message: str) -> None:
        """Sends lines of sd_notify(3). Logs a warning if that fails."""
        if not self._address:
            return
        # A leading @ stands for the null byte of an abstract socket (sd_notify(3)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(errors="replace"), address)
        except OSError as error:
            log.warning("the service manager does not listen at %s: %s", self._address, error)


def _seconds(microseconds: str) -> float:
    return int(microseconds) / 1e6 if re.fullmatch("[0-9]{1,18}", microseconds) else 0.0
