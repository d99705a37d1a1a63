"""Sets up the log: one line of JSON for each event, or plain text at a terminal.

No personal data is ever logged: no estimate, no measure of a face, no card number, no digit of a PIN.
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

MAX_BYTES = 5_000_000
"""Size at which the log file is rotated."""
BACKUP_COUNT = 4
"""How many rotated files are kept."""


class JsonFormatter(logging.Formatter):
    """Formats a record as `{"time": …, "level": …, "source": …, "message": …}`, with `traceback` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns one line of JSON, even if the message has line breaks."""
        line = {
            "time": utc_text(datetime.fromtimestamp(record.created, timezone.utc)),
            "level": record.levelname.lower(),
            "source": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """Formats a record as `kiosk.vending.shop: message`; a message may have several lines."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Returns the text with control characters escaped: a device or a file could send commands to the terminal."""
        return escape_unprintable(super().format(record), keep="\n\t")


def set_up(file: Path | None = None) -> None:
    """Sends the kiosk's log to `file`, which is rotated, or to standard error. Raises `KioskError` for a bad file.

    Standard error gets JSON if it goes to systemd's journal, which sets `JOURNAL_STREAM` (systemd.exec(5)), and plain
    text otherwise. An uncaught exception is logged in the same way.
    """
    log = logging.getLogger("kiosk")
    # The old handlers go last: if the file cannot be opened, that can still be logged.
    new = _file_handler(file) if file else _stderr_handler()
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    log.addHandler(new)
    log.setLevel(logging.INFO)
    sys.excepthook = _log_uncaught


def _stderr_handler() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if "JOURNAL_STREAM" in os.environ else TextFormatter())
    return handler


def _file_handler(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A message may contain half a surrogate pair; backslashreplace writes it as JSON would.
        handler = RotatingFileHandler(
            path, maxBytes=MAX_BYTES, backupCount=BACKUP_COUNT, encoding="utf-8", errors="backslashreplace"
        )
    except OSError as error:
        raise KioskError(f"the log {path} cannot be written: {error.strerror}") from error
    handler.setFormatter(JsonFormatter())
    return handler


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger("kiosk").critical("%s: %s", kind.__name__, error, exc_info=(kind, error, trace))
