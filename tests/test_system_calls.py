"""A whole sale with the camera on, call by call: no socket to anywhere, no file that could hold a picture."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.support.sandbox import MAY_BE_WRITTEN, environment_in
from tests.support.system_calls import Calls, need_strace, traced

ROOT = Path(__file__).parent.parent
LONGEST = 300.0
"""Seconds after which the sale is taken to hang."""

LOCAL = {"AF_UNIX", "AF_NETLINK"}
"""Sockets within the machine: between the two processes and to its sound server; and to the kernel, from which Qt's own
input (eglfs) and libudev hear that a device was plugged in."""

NO_FILES = r"/dev/(dri/(card|renderD)\d+|nvidia\w*|kfd)|/proc/self/oom_score_adj"
"""What keeps nothing: devices of GPUs, among which Qt Multimedia, which plays the sounds, looks for one that decodes
videos; and what a process may tell the kernel of itself, such as that it is to be killed first."""


@pytest.fixture(scope="module")
def sale(tmp_path_factory: pytest.TempPathFactory) -> tuple[Calls, Path, Path]:
    need_strace()
    sandbox, trace = tmp_path_factory.mktemp("sandbox"), tmp_path_factory.mktemp("trace")
    report = tmp_path_factory.mktemp("report") / "report.json"
    command = [sys.executable, "-m", "tests.support.privacy_child", str(sandbox), str(report)]
    calls = traced(command, trace, environment_in(sandbox), LONGEST, ROOT)
    assert calls.returncode == 0
    return calls, sandbox, report


def test_the_camera_was_on_and_something_was_sold(sale: tuple[Calls, Path, Path]) -> None:
    said = json.loads(sale[2].read_text(encoding="utf-8"))
    assert said["estimates"] > 0
    assert "dispensing" in said["phases"]


@pytest.mark.proves("network-reach")
def test_a_sale_opens_no_connection_that_leaves_the_machine(sale: tuple[Calls, Path, Path]) -> None:
    assert "AF_UNIX" in sale[0].families
    assert sale[0].families <= LOCAL


@pytest.mark.proves("theft-pictures")
def test_a_sale_writes_no_file_but_the_journal_and_its_like(sale: tuple[Calls, Path, Path]) -> None:
    calls, sandbox, report = sale
    written = {path for path in calls.written if path not in (str(report), os.devnull)}
    inside = {str(Path(path).relative_to(sandbox)) for path in written if Path(path).is_relative_to(sandbox)}
    outside = {path for path in written if not Path(path).is_relative_to(sandbox)}
    assert any(name.endswith("/journal.db") for name in inside)
    assert [name for name in inside if not any(re.fullmatch(each, name) for each in MAY_BE_WRITTEN)] == []
    # the one picture in memory, under a name that only this user may open, and that is gone by now
    pictures = {path for path in outside if path.startswith("/dev/shm/psm_")}
    assert len(pictures) == 1
    assert not any(Path(path).exists() for path in pictures)
    assert [path for path in outside - pictures if not re.fullmatch(NO_FILES, path)] == []
    assert calls.in_memory <= {"pulseaudio"}


@pytest.mark.proves("stick-program")
def test_a_sale_starts_no_program_but_its_own_processes(sale: tuple[Calls, Path, Path]) -> None:
    assert {Path(program).resolve() for program in sale[0].programs} == {Path(sys.executable).resolve()}


NAUGHTY = """
import os, pathlib, socket, subprocess
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as away:
    away.connect(("127.0.0.1", 9))
pathlib.Path("face.png").write_bytes(b"")
os.rename("face.png", "hidden")
subprocess.run(["true"])
"""


def test_what_a_sale_must_not_do_is_noticed(tmp_path: Path) -> None:
    need_strace()
    (tmp_path / "trace").mkdir()
    calls = traced([sys.executable, "-c", NAUGHTY], tmp_path / "trace", os.environ, 60.0, tmp_path)
    assert calls.returncode == 0
    assert {"AF_INET", "AF_INET6"} <= calls.families
    assert {str(tmp_path / "face.png"), str(tmp_path / "hidden")} <= calls.written
    assert any(program.endswith("/true") for program in calls.programs)
