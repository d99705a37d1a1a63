"""TensorRT's log, as far as it matters: it returns None where others raise, and says why only here."""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_log = logging.getLogger(__name__)

# Without a driver, whatever goes wrong is followed by this, which is not why.
_FOLLOWS_EVERY_ERROR = "catchCudaError"

# IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (what it is. In function at file.cpp:123)
_LOGGED = re.compile(r"Error Code \d+: [\w ]+ \((?P<what>.*)\)$")
_PLACES = re.compile(r"\s*\bIn \w+ at \S+|\[[\w.]+:\d+: \w+\]\s*|^Assertion failed:\s*")


def create_logger(trt: ModuleType) -> Any:
    """A TensorRT logger that keeps what went wrong in its list `errors`, and hands all on to `logging`.

    A function, because its base class is in a module that is known at run time only.
    """
    levels = {
        trt.ILogger.INTERNAL_ERROR: logging.ERROR,
        trt.ILogger.ERROR: logging.ERROR,
        trt.ILogger.WARNING: logging.WARNING,
        trt.ILogger.INFO: logging.INFO,
        trt.ILogger.VERBOSE: logging.DEBUG,
    }

    class CollectingLogger(trt.ILogger):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)  # the bindings refuse super() here
            self.errors: list[str] = []

        def log(self, severity: Any, text: str) -> None:
            level = levels.get(severity, logging.INFO)
            if level == logging.ERROR:
                self.errors.append(" ".join(text.split()))
            # An error is raised by whoever asked, with this text: printed as well, it would be said twice.
            _log.log(min(level, logging.INFO), "%s", text)

    return CollectingLogger()


def last_error(logged: Sequence[str]) -> str:
    """The last of the errors that says something, without where in TensorRT's own code it arose."""
    telling = [text for text in logged if _FOLLOWS_EVERY_ERROR not in text] or logged
    if not telling:
        return "it does not say why"
    found = _LOGGED.search(telling[-1])
    return strip_source_locations(found["what"] if found else telling[-1]) or telling[-1]


def strip_source_locations(text: str) -> str:
    """What TensorRT says, without where in its own code it says so."""
    return _PLACES.sub("", text).strip()


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Keeps Python's garbage collector away while TensorRT may call its logger.

    It holds a lock meanwhile, and needs the same one to free an object of its own. If the collector began
    in the logger and found one, the process would hang.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
