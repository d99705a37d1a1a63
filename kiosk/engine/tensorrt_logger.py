"""TensorRT's log, as far as it matters: it returns None where others raise, and says why only here."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

_log = logging.getLogger(__name__)


def gathering_logger(trt: ModuleType) -> Any:
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

    class GatheringLogger(trt.ILogger):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)  # the bindings refuse super() here
            self.errors: list[str] = []

        def log(self, severity: Any, text: str) -> None:
            level = levels.get(severity, logging.INFO)
            if level == logging.ERROR:
                self.errors.append(" ".join(text.split()))
            # An error is raised by whoever asked, with this text: printed as well, it would be said twice.
            _log.log(min(level, logging.INFO), "%s", text)

    return GatheringLogger()
