"""Writing files so that a power cut leaves the old one or the new one, never half of either."""

from __future__ import annotations

import errno
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def replaced_safely(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yields a temporary file beside `path` to write to, which then takes the place of `path`.

    `mode` is who may read and write it. If the block raises, `path` stays as it was and the temporary file is removed.
    """
    with replaced_together(path, mode=mode) as (temporary,):
        yield temporary


@contextmanager
def replaced_together(*paths: Path, mode: int = 0o644) -> Iterator[tuple[Path, ...]]:
    """The same for files that belong together: all are written whole before the first takes its place.

    Ctrl-C waits while they do. Raises `OSError` for a path at which there is something else than a file.
    """
    with ExitStack() as unwritten:
        temporaries = tuple(_temporary_beside(path, unwritten) for path in paths)
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
    """A file's content, or a folder's names, is on the disk once this returns. Raises `OSError`.

    A file that took the place of another is there after a power cut only once its folder is.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary_beside(path: Path, unwritten: ExitStack) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _check_replaceable(path)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    unwritten.callback(Path(name).unlink, missing_ok=True)
    return Path(name)


def _check_replaceable(path: Path) -> None:
    """A device or a folder is not to be replaced by a file."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is there and is no file", str(path))
