"""Collects the errors of TensorRT's log. TensorRT returns None instead of raising; only its log has the reason."""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_log = logging.getLogger(__name__)

# Without a driver, every error is followed by this one, which is not the cause.
_FOLLOWS_EVERY_ERROR = "catchCudaError"

# IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (what it is. In function at file.cpp:123)
_LOGGED = re.compile(r"Error Code \d+: [\w ]+ \((?P<what>.*)\)$")
_PLACES = re.compile(r"\s*\bIn \w+ at \S+|\[[\w.]+:\d+: \w+\]\s*|^Assertion failed:\s*")


def create_logger(trt: ModuleType) -> Any:
    """Returns a TensorRT logger that keeps errors in its list `errors` and passes every line to `logging`.

    This is a function because the base class is in a module that is known at run time only.
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
            # The caller raises an error with this text, so a second line at level ERROR would repeat it.
            _log.log(min(level, logging.INFO), "%s", text)

    return CollectingLogger()


def last_error(logged: Sequence[str]) -> str:
    """Returns the last error that names a cause, without the places in TensorRT's source code."""
    causes = [text for text in logged if _FOLLOWS_EVERY_ERROR not in text] or logged
    if not causes:
        return "it does not say why"
    found = _LOGGED.search(causes[-1])
    return strip_source_locations(found["what"] if found else causes[-1]) or causes[-1]


def strip_source_locations(text: str) -> str:
    """Returns a message of TensorRT without the places in its source code."""
    return _PLACES.sub("", text).strip()


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Pauses Python's garbage collector while TensorRT may call the logger.

    TensorRT holds a lock during that call and needs the same lock to free an object. A collection inside the logger
    that frees a TensorRT object would hang the process.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
