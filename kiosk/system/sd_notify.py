"""What systemd is told of the kiosk: that it is ready, that it is alive, what it is doing.

The protocol is that of sd_notify(3): a datagram of `NAME=value` lines to the socket that `NOTIFY_SOCKET` names. Started
by anything else, nothing is told to anybody.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class ServiceManager:
    """Whoever started the program and wants to hear from it."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _seconds(environment.get("WATCHDOG_USEC", ""))
        """Seconds without a sign of life after which the program is replaced; 0 where nobody waits for any.

        WATCHDOG_PID is not looked at: under a compositor it is the compositor's number, and the kiosk is what has to
        be alive.
        """
        self._status = ""

    @property
    def listens(self) -> bool:
        """Whether there is one."""
        return bool(self._address)

    def ready(self) -> None:
        """The machine is up. From now on this process is the one that is watched and stopped, not a compositor."""
        self.tell(f"READY=1\nMAINPID={os.getpid()}")

    def alive(self) -> None:
        """A sign of life."""
        self.tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self.tell("STOPPING=1")

    def status(self, line: str) -> None:
        """One line for `systemctl status`; told again only when it is another."""
        if line != self._status:
            self._status = line
            self.tell(f"STATUS={' '.join(line.split())}")

    def tell(self, message: str) -> None:
        """Lines of sd_notify(3)."""
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
