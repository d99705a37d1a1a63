"""Which sockets, files for writing and programs a process and its children open, by strace(1)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

WATCHED = (
    "socket,socketpair,connect,bind,sendto,sendmsg,sendmmsg,open,openat,openat2,creat,rename,renameat,renameat2,"
    "link,linkat,symlink,symlinkat,mknod,mknodat,memfd_create,execve,execveat"
)
"""What opens a socket, sends, makes or opens a file, or starts a program; see syscalls(2)."""

STRACE = ("strace", "-f", "-qq", "--seccomp-bpf", "-s", "4096")
"""Only calls that are watched stop the program, so that a sale takes a second longer and no more."""

_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*?)(\)\s+= (?P<result>-?\d+|\?).*| <unfinished \.\.\.>)?", re.DOTALL)
_FAMILY = re.compile(r"\bAF_\w+")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WRITING = re.compile(r"\b(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE)\b")
_FILES = frozenset({"open", "openat", "openat2"})
_NEW_FILES = frozenset({"creat", "mknod", "mknodat"})
_NAMES = frozenset({"rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"})


@dataclass(frozen=True)
class Calls:
    """What was tried, whether it was allowed or not."""

    returncode: int
    families: frozenset[str]
    """Of sockets, and of whatever was connected or sent to: `AF_UNIX`."""
    written: frozenset[str]
    """Paths of files opened for writing, made, or put in place of others."""
    in_memory: frozenset[str]
    """Names of files that are in no folder, as memfd_create(2) makes them."""
    programs: frozenset[str]


def need_strace() -> None:
    """Skips a test where there is no strace, or it may trace nothing; fails it if it has to work, as in .ci/run."""
    if reason := _why_not():
        if os.environ.get("REQUIRE_STRACE"):
            pytest.fail(f"REQUIRE_STRACE is set, but {reason}", pytrace=False)
        pytest.skip(reason)


@cache
def _why_not() -> str:
    if shutil.which("strace") is None:
        return "no strace: install Debian's package of this name"
    tried = subprocess.run([*STRACE, "-o", os.devnull, "-e", "trace=execve", "true"], capture_output=True, text=True)
    return f"strace may trace nothing here: {tried.stderr.strip()[-200:]}" if tried.returncode else ""


def traced(command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float, cwd: Path) -> Calls:
    """Runs a command to its end. `folder`, which is there and empty, is for strace's files, one a thread."""
    strace = [*STRACE, "-ff", "-o", str(folder / "calls"), "-e", f"trace={WATCHED}"]
    result = subprocess.run(
        [*strace, *command], env=dict(environment), stdout=subprocess.DEVNULL, timeout=seconds, cwd=cwd, check=False
    )
    found: dict[str, set[str]] = {"families": set(), "written": set(), "in_memory": set(), "programs": set()}
    for file in folder.iterdir():
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if match := _CALL.fullmatch(line):
                _note(match["name"], match["arguments"], cwd, found)
            else:
                # an exit, a signal, or a thread that ended before its call could be named
                assert line.startswith(("+++", "---", "???(")), line
    return Calls(result.returncode, **{name: frozenset(values) for name, values in found.items()})


def _note(name: str, arguments: str, cwd: Path, found: dict[str, set[str]]) -> None:
    paths = [str(cwd / path) for path in _PATH.findall(arguments)]
    if name in _NEW_FILES or (name in _FILES and _WRITING.search(arguments)):
        found["written"].add(paths[0])
    elif name in _NAMES:
        found["written"].add(paths[-1])
    elif name.startswith("memfd"):
        found["in_memory"].update(_PATH.findall(arguments))
    elif name.startswith("exec"):
        found["programs"].add(paths[0])
    elif name not in _FILES:
        # what is sent may say anything: a family stands before it or after it
        found["families"].update(_FAMILY.findall(_PATH.sub("", arguments)))
