"""Replaces files so that after a power cut either the old file or the whole new file is there."""

from __future__ import annotations

import errno
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def replace_file(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yields a temporary file beside `path` to write to, and renames it to `path` at the end of the block.

    `mode` is the new file's permissions. Missing folders are created. If the block raises, `path` stays as it was.
    Raises `OSError`, also if `path` is something other than a regular file.
    """
    with replace_files(path, mode=mode) as (temporary,):
        yield temporary


@contextmanager
def replace_files(*paths: Path, mode: int = 0o644) -> Iterator[tuple[Path, ...]]:
    """Does the same for files that belong together: the first is renamed only when all are on the disk.

    SIGINT and SIGTERM wait until all are renamed. Raises `OSError`, also if a path is not a regular file.
    """
    with ExitStack() as unwritten:
        temporaries = tuple(_create_temporary(path, unwritten) for path in paths)
        yield temporaries
        for temporary in temporaries:
            temporary.chmod(mode)
            sync(temporary)
        for path in paths:
            _check_replaceable(path)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            for temporary, path in zip(temporaries, paths, strict=True):
                temporary.replace(path)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def sync(path: Path) -> None:
    """Waits until a file's content, or a folder's list of names, is on the disk. Raises `OSError`.

    A renamed file survives a power cut only after its folder is synced.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create_temporary(path: Path, unwritten: ExitStack) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _check_replaceable(path)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    unwritten.callback(Path(name).unlink, missing_ok=True)
    return Path(name)


def _check_replaceable(path: Path) -> None:
    """Raises `OSError` for a folder, a device or a pipe."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it exists and is not a regular file", str(path))
