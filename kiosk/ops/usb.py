"""Sticks that are plugged in, and the journal written to one of them."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

from kiosk.vending.accounts import as_csv, as_json
from kiosk.vending.journal import read_verified

MOUNTED_UNDER = ("/media", "/run/media")


def sticks(mounts: str | None = None) -> list[Path]:
    """Where something that can be taken out is mounted to be written. `mounts` is as in /proc/mounts."""
    text = Path("/proc/mounts").read_text(encoding="utf-8") if mounts is None else mounts
    found = set()
    for line in text.splitlines():
        _, place, _, options, *_ = line.split(" ")
        path = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), place))
        under = any(str(path).startswith(f"{folder}/") for folder in MOUNTED_UNDER)
        if under and "rw" in options.split(","):
            found.add(path)
    return sorted(found)


def export(journal: Path, folder: Path, now: datetime) -> list[str]:
    """Writes the journal's sales as CSV and JSON. The names of the files. Raises `JournalError`, `OSError`.

    Written when it returns: a stick is soon pulled out. Verified first, and a file is never written over.
    """
    entries, head = read_verified(journal)
    names = []
    for kind, text in (("csv", as_csv(entries)), ("json", as_json(entries, head))):
        name = f"kiosk-journal-{now:%Y-%m-%d-%H%M%S}.{kind}"
        with (folder / name).open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        names.append(name)
    return names
