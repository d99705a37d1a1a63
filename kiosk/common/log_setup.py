"""What the kiosk logs: one line of JSON each for a machine to read, or one of text for a person at a terminal.

Nothing personal is ever logged: no estimate, no figure of a face, no card, no digit of a PIN.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from datetime import datetime, timezone
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from kiosk.common.errors import KioskError
from kiosk.common.text import escape_unprintable
from kiosk.common.utc import utc_text

MOST_BYTES = 5_000_000
"""Size at which a log file is put aside and a new one begun."""
KEPT = 4
"""How many of those put aside are kept."""


class JsonLines(logging.Formatter):
    """`{"time": …, "level": …, "source": …, "message": …}`, and `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        line = {
            "time": utc_text(datetime.fromtimestamp(record.created, timezone.utc)),
            "level": record.levelname.lower(),
            "source": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextLines(logging.Formatter):
    """`kiosk.vending.shop: …`, for a person; what belongs to one message stays together."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Without what would give the terminal orders: a device or a file may have said it."""
        text = super().format(record)
        return escape_unprintable(text, keep="\n\t")


def set_up(file: Path | None = None) -> None:
    """Sends what the kiosk logs to standard error, or to a `file` that is put aside before it grows too large.

    Standard error gets JSON where it goes to systemd's journal, which says so in `JOURNAL_STREAM` (systemd.exec(5)),
    else text. What ends the program by surprise is logged in the same way. Raises `KioskError` for a file that cannot
    be written.
    """
    log = logging.getLogger("kiosk")
    new = _to_file(file) if file else _to_stderr()  # before the old ones go: that it cannot be written is to be logged
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    log.addHandler(new)
    log.setLevel(logging.INFO)
    sys.excepthook = _log_surprise


def _to_stderr() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if "JOURNAL_STREAM" in os.environ else TextLines())
    return handler


def _to_file(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            path, maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8", errors="backslashreplace"
        )  # half a surrogate, which a device or a file may have said, is then as JSON writes it
    except OSError as error:
        raise KioskError(f"the log {path} cannot be written: {error.strerror}") from error
    handler.setFormatter(JsonLines())
    return handler


def _log_surprise(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger("kiosk").critical("%s: %s", kind.__name__, error, exc_info=(kind, error, trace))
