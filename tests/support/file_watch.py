"""Which files are written: those that appear in a folder, by Linux's inotify(7), and those that a process has open."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

_CREATE, _MOVED_TO, _MODIFY = 0x100, 0x80, 0x2
_HEADER = struct.Struct("iIII")


def written_by(pid: int) -> Iterator[str]:
    """Regular files that a process has open for writing."""
    folder = Path(f"/proc/{pid}")
    for descriptor in (folder / "fd").iterdir():
        try:
            target = descriptor.readlink()
            flags = int((folder / "fdinfo" / descriptor.name).read_text().split("flags:")[1].split()[0], 8)
            is_file = stat.S_ISREG(descriptor.stat().st_mode)
        except (OSError, IndexError):  # closed since
            continue
        if is_file and flags & os.O_ACCMODE != os.O_RDONLY:
            yield str(target)


class Watch:
    """Of a folder and of everything below it that there is, or comes."""

    def __init__(self, folder: Path) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._library.inotify_init1(os.O_NONBLOCK)
        self._folders: dict[int, Path] = {}
        self.files: set[Path] = set()
        self._add(folder)

    def look(self) -> set[Path]:
        """All files so far. Call it often: what comes and goes with its folder between two looks is missed."""
        while True:
            try:
                events = os.read(self._descriptor, 1 << 16)
            except BlockingIOError:
                return self.files
            while events:
                number, _, _, length = _HEADER.unpack_from(events)
                name = events[_HEADER.size : _HEADER.size + length].rstrip(b"\0").decode()
                events = events[_HEADER.size + length :]
                if name:
                    self._saw(self._folders[number] / name)

    def close(self) -> None:
        os.close(self._descriptor)

    def _saw(self, path: Path) -> None:
        if path.is_dir():
            self._add(path)
        else:
            self.files.add(path)

    def _add(self, folder: Path) -> None:
        wanted = _CREATE | _MOVED_TO | _MODIFY
        number = self._library.inotify_add_watch(self._descriptor, os.fsencode(folder), wanted)
        if number < 0:
            return  # gone again
        self._folders[number] = folder
        for path in folder.iterdir():
            self._saw(path)
