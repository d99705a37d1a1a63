"""Work that takes long, beside the screen's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def beside(work: Callable[[], _T], name: str) -> Future[_T]:
    """Does it in a thread of its own, which ends with it. The end of the program waits for it."""
    thread = ThreadPoolExecutor(1, name)
    try:
        return thread.submit(work)
    finally:
        thread.shutdown(wait=False)
