"""The relay between kiosk and systemd: whose messages it forwards, and which processes end together."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

KIOSK = """
import os, signal, sys
from kiosk.system.sd_notify import ServiceManager
manager = ServiceManager()
ENDING
manager.ready()
manager.status(f"process {os.getpid()}")
while True:
    signal.pause()
"""

OBEYS = "signal.signal(signal.SIGTERM, lambda *_: (manager.stopping(), sys.exit(0)))"
HANGS = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"

COMPOSITOR = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, *sys.argv[1:]]).returncode and 7)"


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "systemd"))
        ear.settimeout(60)
        yield ear


def start_relay(systemd: socket.socket, ending: str) -> subprocess.Popen[bytes]:
    """Starts the relay with a compositor that starts a kiosk."""
    kiosk = KIOSK.replace("ENDING", ending)
    return subprocess.Popen(
        [sys.executable, "-m", "kiosk.cli.main", "relay", sys.executable, "-c", COMPOSITOR, "-c", kiosk],
        env={**os.environ, "NOTIFY_SOCKET": systemd.getsockname()},
    )


def wait_for_kiosk_pid(systemd: socket.socket) -> int:
    """Returns the process number of the kiosk, once the kiosk is ready."""
    assert systemd.recv(4096) == b"READY=1"
    name, _, number = systemd.recv(4096).decode().rpartition(" ")
    assert name == "STATUS=process"
    return int(number)


def test_systemd_hears_the_kiosk_and_ends_it_through_the_relay(systemd: socket.socket) -> None:
    relay = start_relay(systemd, OBEYS)
    kiosk = os.pidfd_open(wait_for_kiosk_pid(systemd))
    relay.send_signal(signal.SIGTERM)
    assert systemd.recv(4096) == b"STOPPING=1"
    assert relay.wait(60) == 0
    assert is_over(kiosk)


def test_the_watchdog_ends_a_kiosk_that_hangs(systemd: socket.socket) -> None:
    relay = start_relay(systemd, HANGS)
    kiosk = os.pidfd_open(wait_for_kiosk_pid(systemd))
    relay.send_signal(signal.SIGTERM)
    relay.send_signal(signal.SIGABRT)
    assert relay.wait(60) != 0
    assert is_over(kiosk)


def test_the_relay_ends_compositor_and_itself_after_the_kiosk(systemd: socket.socket) -> None:
    relay = start_relay(systemd, OBEYS)
    os.kill(wait_for_kiosk_pid(systemd), signal.SIGKILL)
    assert relay.wait(60) == 7


def test_the_compositor_gets_every_word_of_its_own() -> None:
    """xinit's own words come after a `--`."""
    check = "import sys; sys.exit(sys.argv[1:] != ['-d', '--', ':0'])"
    command = [sys.executable, "-m", "kiosk.cli.main", "relay", sys.executable, "-c", check, "-d", "--", ":0"]
    assert subprocess.run(command, check=False).returncode == 0


def test_a_compositor_that_is_not_there_is_one_line() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "kiosk.cli.main", "relay", "/nowhere/cage"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr == "Error: /nowhere/cage cannot be started: No such file or directory\n"


def is_over(handle: int) -> bool:
    """Returns whether the process of this handle ends within a moment."""
    try:
        return bool(select.select([handle], [], [], 60)[0])
    finally:
        os.close(handle)
