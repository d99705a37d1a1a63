"""A damaged journal is put aside whole, a new one begun, and the operator told; the machine sells on.

What was damaged is kept for whoever does the accounts: the database and SQLite's files beside it go together into a
folder `journal-damaged-<time>`. The new journal says so in its first rows, and it stays on the operator's list until a
person has settled it. Of the old one nothing is believed, but two things are safe to take from the rows that can still
be read: which payments were open, to be told; and what the operator had set, above all *out of order*. No payment is
reversed by them: the row that says that the goods fell may be the one that is missing.

Stock and prices are the catalogue's again until somebody counts. A slot that is emptier than that ends in a refund.

Power may be cut at any instant of it. Until the folder has its name the old files stay where they are, and all begins
anew; afterwards the folder itself says what is to be told, until a row of the new journal does.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from kiosk.vending.checkpoint import recalled
from kiosk.vending.facts import JournalReplaced, SettingChanged
from kiosk.vending.journal import Entry, Journal, JournalDamagedError, JournalError, locked, survey
from kiosk.vending.ledger import fold

log = logging.getLogger(__name__)


def opened(path: Path) -> Journal:
    """The journal, or the new one begun in the place of one that is damaged. Raises as `Journal` for all else."""
    if not path.exists():
        with locked(path):
            _remove_rest(path)
    elif _is_empty(path):  # SQLite would take it for a new one
        _put_aside(path)
    journal = _opened(path)
    if journal is None:
        _put_aside(path)
        journal = Journal(path)
    try:
        _tell(journal, path)
    except BaseException:
        journal.close()
        raise
    return journal


def _opened(path: Path) -> Journal | None:
    """The journal, or None where it is damaged. Nothing of it is open then, not even by the error."""
    journal = None
    try:
        journal = Journal(path)
        recalled(journal)  # rows with the right hashes may still be no facts
        return journal
    except BaseException as error:
        if journal:
            journal.close()
        if not isinstance(error, JournalDamagedError):
            raise
        log.error("%s", error)
        return None


def _put_aside(path: Path) -> None:
    """The journal's files into a folder of their own, if they are damaged. Raises `JournalError`."""
    with locked(path):
        if not _is_empty(path) and survey(path)[1] is None:
            return  # another kiosk was quicker
        try:
            _move(path)
        except OSError as error:
            raise JournalError(
                f"journal {path} is damaged and cannot be put aside ({error.strerror}): look at its disk and folder"
            ) from error


def _is_empty(path: Path) -> bool:
    """As some file systems leave a file when the power goes. A single byte is none to SQLite."""
    return path.is_file() and path.stat().st_size <= 1


def _move(path: Path) -> None:
    rows = path.with_name(f"{path.name}-wal")
    for unfinished in path.parent.glob(f".{path.stem}-damaged-*"):
        shutil.rmtree(unfinished)
    folder = _free(path.with_name(f"{path.stem}-damaged-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"))
    building = folder.with_name(f".{folder.name}")
    building.mkdir()
    for file in (path, rows):
        if file.exists():
            _keep(file, building / file.name)
    _sync(building)
    building.rename(folder)
    _sync(path.parent)
    path.unlink()  # first: without the rows beside it, it might look whole
    _sync(path.parent)
    _remove_rest(path)


def _remove_rest(path: Path) -> None:
    """What is beside a database that was put aside; SQLite would write new rows into what is kept."""
    for name in ("wal", "shm"):
        path.with_name(f"{path.name}-{name}").unlink(missing_ok=True)


def _free(folder: Path) -> Path:
    names = (folder, *(folder.with_name(f"{folder.name}-{number}") for number in range(2, 1000)))
    return next(each for each in names if not each.exists())


def _keep(file: Path, name: Path) -> None:
    try:
        os.link(file, name)  # needs no room on a disk that is full
    except OSError:
        shutil.copy2(file, name)
    _sync(name)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _tell(journal: Journal, path: Path) -> None:
    """In the journal, of every folder of which it does not say anything yet. Raises `JournalError`."""
    found = path.parent.glob(f"{path.stem}-damaged-*")
    folders = sorted(each for each in found if each.name.isprintable())  # no other was named by a kiosk
    if not folders:
        return
    told = {entry.fact.folder for entry in journal.of_kind(JournalReplaced) if isinstance(entry.fact, JournalReplaced)}
    for folder in folders:
        if folder.name in told:
            continue
        entries, damage = _found(folder / path.name)
        for setting in {
            entry.fact.name: entry.fact for entry in entries if isinstance(entry.fact, SettingChanged)
        }.values():
            journal.append(setting)
        # last: should the power go before it, all of this is done again
        journal.append(JournalReplaced(folder.name, damage, " ".join(_open_payments(entries))))
        log.error("a new journal was begun; the damaged one is in %s: settle it in service mode", folder)


def _found(path: Path) -> tuple[list[Entry], str]:
    if _is_empty(path):
        return [], "it is empty"
    try:
        entries, damage = survey(path)
    except JournalError as error:
        return [], str(error)
    return entries, damage.what if damage else ""


def _open_payments(entries: Sequence[Entry]) -> list[str]:
    """By the rows that can be read, which may make no sense together."""
    try:
        return list(fold(entry.fact for entry in entries).transactions)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return []
