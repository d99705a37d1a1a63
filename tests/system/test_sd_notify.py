"""The messages to systemd, over a real socket."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.system.sd_notify import ServiceManager


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.setblocking(False)
        yield channel


def read_notices(channel: socket.socket) -> list[str]:
    messages = []
    while True:
        try:
            messages.append(channel.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_systemd_receives_the_states_of_the_machine(systemd: socket.socket) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"})
    assert manager.listens
    assert manager.watchdog_s == 20
    manager.ready()
    manager.status("selling")
    manager.alive()
    manager.stopping()
    assert read_notices(systemd) == [f"READY=1\nMAINPID={os.getpid()}", "STATUS=selling", "WATCHDOG=1", "STOPPING=1"]


def test_a_status_is_one_line_and_told_once(systemd: socket.socket) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": systemd.getsockname()})
    for line in ("out of order:\nREADY=1", "out of order:\nREADY=1", "selling"):
        manager.status(line)
    assert read_notices(systemd) == ["STATUS=out of order: READY=1", "STATUS=selling"]


def test_an_abstract_socket_is_found() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("")  # the kernel gives it an abstract name
        channel.setblocking(False)
        ServiceManager({"NOTIFY_SOCKET": "@" + channel.getsockname()[1:].decode()}).alive()
        assert read_notices(channel) == ["WATCHDOG=1"]


def test_without_a_service_manager_nothing_is_sent() -> None:
    manager = ServiceManager({})
    manager.ready()
    manager.alive()
    assert not manager.listens
    assert manager.watchdog_s == 0


@pytest.mark.parametrize("nonsense", ["", "soon", "-1", "1e6"])
def test_a_watchdog_time_that_is_none_means_no_watchdog(nonsense: str) -> None:
    assert ServiceManager({"WATCHDOG_USEC": nonsense}).watchdog_s == 0


def test_a_missing_socket_is_logged_and_raises_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()
    assert "does not listen" in caplog.text
