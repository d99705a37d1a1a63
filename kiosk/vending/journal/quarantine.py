"""Opening the kiosk's journal, and replacing it if it is damaged or missing, so that the machine goes on selling.

A damaged journal is kept for the accounts: the database and SQLite's files beside it move together into a folder
`journal-damaged-<time>`. The new journal says so in its first rows, and the operator's list shows it until a person has
settled it. The kiosk takes only two things from the old rows that can still be read: which payments were open, to show
them; and the operator's settings, above all *out of order*. It reverses no payment by those rows, because the row that
says that the product dropped may be the missing one.

A marker file beside the journal holds the journal's id and outlives it. If a start finds the marker and no journal, it
reports the missing journal in the same way, and moves what is left into a folder `journal-missing-<time>`. Deleting the
whole folder deletes the marker too, but also the PINs, without which no machine starts.

Stock and prices are the catalogue's again until somebody counts. If a slot holds less than that, its sale ends in a
refund.

Power may be cut at any moment. Until the folder has its final name the old files stay where they are, and the next
start begins again. After that, the folder itself shows what to report, until a row of the new journal reports it.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from kiosk.common.atomic_files import replace_file, sync
from kiosk.vending.journal import Entry, Journal, JournalDamagedError, JournalError, lock_journal, survey
from kiosk.vending.journal.database import connect, journal_errors
from kiosk.vending.journal.facts import GONE, JournalReplaced, SettingChanged
from kiosk.vending.journal.ledger import fold
from kiosk.vending.journal.recovery import rebuild_ledger

log = logging.getLogger(__name__)

_KINDS = ("damaged", "missing")
"""Why a journal was replaced, as its folder's name says it."""


def open_journal(path: Path) -> Journal:
    """Opens the journal, or begins a new one if it is damaged or missing.

    Raises `JournalInUseError`, and `JournalError` for other problems.
    """
    if not path.exists():
        _clear_missing(path)
    elif _is_empty(path):  # SQLite would take it for a new database
        _quarantine(path)
    journal = _open_if_whole(path)
    if journal is None:
        _quarantine(path)
        journal = Journal(path)
    try:
        _report_replaced(journal, path)
        _write_marker(journal, path)
    except BaseException:
        journal.close()
        raise
    return journal


def quarantined_journals(path: Path) -> list[Path]:
    """Returns the folders of damaged and missing journals beside the journal `path`, the oldest of each kind first."""
    found = [each for kind in _KINDS for each in sorted(path.parent.glob(f"{path.stem}-{kind}-*"))]
    return [each for each in found if each.is_dir() and each.name.isprintable()]  # the kiosk names no others


def _open_if_whole(path: Path) -> Journal | None:
    """Opens the journal; returns None if it is damaged, with nothing of it left open."""
    journal = None
    try:
        journal = Journal(path)
        rebuild_ledger(journal)  # rows with correct hashes may still hold no valid facts
        return journal
    except BaseException as error:
        if journal:
            journal.close()
        if not isinstance(error, JournalDamagedError):
            raise
        log.error("%s", error)
        return None


def _marker_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.begun")


def _write_marker(journal: Journal, path: Path) -> None:
    """Notes that this journal was begun. It comes last, because a marker without a journal means a missing journal."""
    marker = _marker_of(path)
    try:
        if marker.is_file() and marker.read_bytes() == journal.id.encode():
            return
        with replace_file(marker, mode=0o600) as temporary:
            temporary.write_bytes(journal.id.encode())
        sync(marker.parent)
    except OSError as error:
        log.warning(
            "%s cannot be written (%s), so the kiosk could not report that the journal is missing: check the folder's "
            "permissions",
            marker,
            error.strerror,
        )


def _clear_missing(path: Path) -> None:
    """Clears the way for a new journal, and moves what a missing one left into a folder. Raises `JournalError`."""
    with lock_journal(path):
        if path.exists():
            return  # another kiosk was faster
        try:
            if _marker_of(path).exists():
                _move(path, "missing")
            else:
                _remove_rest(path)
        except OSError as error:
            raise JournalError(
                f"journal {path} is missing and a new one cannot be begun ({error.strerror}): check its disk and its "
                "folder"
            ) from error


def _quarantine(path: Path) -> None:
    """Moves the journal's files to a folder of their own, if they are damaged. Raises `JournalError`."""
    with lock_journal(path):
        if not _is_damaged(path):
            return  # another kiosk was faster
        try:
            _move(path, "damaged")
        except OSError as error:
            raise JournalError(
                f"journal {path} is damaged and cannot be moved to quarantine ({error.strerror}): check its disk and "
                "its folder"
            ) from error


def _is_damaged(path: Path) -> bool:
    if _is_empty(path) or survey(path)[1] is not None:
        return True
    try:
        with journal_errors(path):
            connect(str(path)).close()
    except JournalDamagedError:  # every row is intact, but none can be added
        return True
    return False


def _is_empty(path: Path) -> bool:
    """Tells whether a file is empty, as some file systems leave it after a power cut, or has one byte.

    SQLite takes a file of one byte for an empty database.
    """
    return path.is_file() and path.stat().st_size <= 1


def _move(path: Path, kind: str) -> None:
    rows, marker = path.with_name(f"{path.name}-wal"), _marker_of(path)
    for unfinished in path.parent.glob(f".{path.stem}-{kind}-*"):
        shutil.rmtree(unfinished)
    folder = _free_name(path.with_name(f"{path.stem}-{kind}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"))
    building = folder.with_name(f".{folder.name}")
    building.mkdir()
    for file in (path, rows, marker):
        if file.exists():
            _link_or_copy(file, building / file.name)
    sync(building)
    building.rename(folder)
    sync(path.parent)
    marker.unlink(missing_ok=True)  # before the journal: a marker left alone would report a missing journal
    sync(path.parent)
    path.unlink(missing_ok=True)  # before the rows beside it, without which it might look intact
    sync(path.parent)
    _remove_rest(path)


def _remove_rest(path: Path) -> None:
    """Removes SQLite's files beside a journal that was moved, or SQLite would write new rows into the kept files."""
    for name in ("wal", "shm"):
        path.with_name(f"{path.name}-{name}").unlink(missing_ok=True)


def _free_name(folder: Path) -> Path:
    names = (folder, *(folder.with_name(f"{folder.name}-{number}") for number in range(2, 1000)))
    return next(each for each in names if not each.exists())


def _link_or_copy(file: Path, name: Path) -> None:
    try:
        os.link(file, name)  # works on a full disk too
    except OSError:
        shutil.copy2(file, name)
    sync(name)


def _report_replaced(journal: Journal, path: Path) -> None:
    """Journals each quarantined folder that the journal does not mention yet. Raises `JournalError`."""
    folders = quarantined_journals(path)
    if not folders:
        return
    known = {entry.fact.folder for entry in journal.of_kind(JournalReplaced) if isinstance(entry.fact, JournalReplaced)}
    for folder in folders:
        if folder.name in known:
            continue
        entries, damage = _read_old(folder / path.name)
        for setting in {
            entry.fact.name: entry.fact for entry in entries if isinstance(entry.fact, SettingChanged)
        }.values():
            journal.append(setting)
        # This row comes last, so that the next start repeats all of it if the power goes before.
        journal.append(JournalReplaced(folder.name, damage, " ".join(_open_payments(entries))))
        log.error(
            "a new journal was begun, because of the old one: %s. The old one is in %s: settle it in service mode",
            damage,
            folder,
        )


def _read_old(path: Path) -> tuple[list[Entry], str]:
    """Returns the rows of a replaced journal that can be read, and what is wrong with it."""
    if not path.exists():
        return [], GONE
    if _is_empty(path):
        return [], "it is empty"
    try:
        entries, damage = survey(path)
    except JournalError as error:
        return [], str(error)
    return entries, damage.what if damage else "no row can be added to it"


def _open_payments(entries: Sequence[Entry]) -> list[str]:
    """Returns the transactions that the readable rows leave open; none if those rows make no sense together."""
    try:
        return list(fold(entry.fact for entry in entries).transactions)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return []
