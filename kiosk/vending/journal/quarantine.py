"""A damaged journal is put aside whole, a new one begun, and the operator told; the machine sells on. So for one gone.

What was damaged is kept for whoever does the accounts: the database and SQLite's files beside it go together into a
folder `journal-damaged-<time>`. The new journal says so in its first rows, and it stays on the operator's list until a
person has settled it. Of the old one nothing is believed, but two things are safe to take from the rows that can still
be read: which payments were open, to be told; and what the operator had set, above all *out of order*. No payment is
reversed by them: the row that says that the goods fell may be the one that is missing.

That a journal was begun is said by a mark beside it, which holds its id and outlives it: a machine that finds the mark
and no journal tells of the one that is gone, in the same way, with a folder `journal-missing-<time>` of what was left.
Who deletes the whole folder deletes the mark too, and the PINs, without which no machine starts.

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

from kiosk.common.atomic_files import replace_file, sync
from kiosk.vending.journal import Entry, Journal, JournalDamagedError, JournalError, locked, survey
from kiosk.vending.journal.checkpoint import recalled
from kiosk.vending.journal.errors import explained
from kiosk.vending.journal.facts import GONE, JournalReplaced, SettingChanged
from kiosk.vending.journal.file import connected
from kiosk.vending.journal.ledger import fold

log = logging.getLogger(__name__)

_KINDS = ("damaged", "missing")
"""What a folder's name says of the journal of which it keeps what there was."""


def opened(path: Path) -> Journal:
    """The journal, or a new one in the place of one that is damaged or gone. Raises as `Journal` for all else."""
    if not path.exists():
        _miss(path)
    elif _is_empty(path):  # SQLite would take it for a new one
        _put_aside(path)
    journal = _opened(path)
    if journal is None:
        _put_aside(path)
        journal = Journal(path)
    try:
        _tell(journal, path)
        _mark(journal, path)
    except BaseException:
        journal.close()
        raise
    return journal


def kept_beside(path: Path) -> list[Path]:
    """The folders of what is kept of journals that were damaged or gone, the oldest of each kind first."""
    found = [each for what in _KINDS for each in sorted(path.parent.glob(f"{path.stem}-{what}-*"))]
    return [each for each in found if each.is_dir() and each.name.isprintable()]  # no other was named by a kiosk


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


def _mark_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.begun")


def _mark(journal: Journal, path: Path) -> None:
    """That this journal was begun, after everything else: a mark without a journal is a journal that is gone."""
    mark = _mark_of(path)
    try:
        if mark.is_file() and mark.read_bytes() == journal.id.encode():
            return
        with replace_file(mark, mode=0o600) as temporary:
            temporary.write_bytes(journal.id.encode())
        sync(mark.parent)
    except OSError as error:
        log.warning("%s cannot be written (%s): should the journal vanish, nobody will be told", mark, error.strerror)


def _miss(path: Path) -> None:
    """Clears the way for a new journal; if there was one, what it left goes into a folder. Raises `JournalError`."""
    with locked(path):
        if path.exists():
            return  # another kiosk was quicker
        try:
            if _mark_of(path).exists():
                _move(path, "missing")
            else:
                _remove_rest(path)
        except OSError as error:
            raise JournalError(
                f"journal {path} is gone and another cannot be begun ({error.strerror}): look at its disk and folder"
            ) from error


def _put_aside(path: Path) -> None:
    """The journal's files into a folder of their own, if they are damaged. Raises `JournalError`."""
    with locked(path):
        if not _is_damaged(path):
            return  # another kiosk was quicker
        try:
            _move(path, "damaged")
        except OSError as error:
            raise JournalError(
                f"journal {path} is damaged and cannot be put aside ({error.strerror}): look at its disk and folder"
            ) from error


def _is_damaged(path: Path) -> bool:
    if _is_empty(path) or survey(path)[1] is not None:
        return True
    try:
        with explained(path):
            connected(str(path)).close()
    except JournalDamagedError:  # every row is whole, and none can be added
        return True
    return False


def _is_empty(path: Path) -> bool:
    """As some file systems leave a file when the power goes. A single byte is none to SQLite."""
    return path.is_file() and path.stat().st_size <= 1


def _move(path: Path, what: str) -> None:
    rows, mark = path.with_name(f"{path.name}-wal"), _mark_of(path)
    for unfinished in path.parent.glob(f".{path.stem}-{what}-*"):
        shutil.rmtree(unfinished)
    folder = _free(path.with_name(f"{path.stem}-{what}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"))
    building = folder.with_name(f".{folder.name}")
    building.mkdir()
    for file in (path, rows, mark):
        if file.exists():
            _keep(file, building / file.name)
    sync(building)
    building.rename(folder)
    sync(path.parent)
    mark.unlink(missing_ok=True)  # before the journal, which is not gone
    sync(path.parent)
    path.unlink(missing_ok=True)  # before the rows beside it, without which it might look whole
    sync(path.parent)
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
    sync(name)


def _tell(journal: Journal, path: Path) -> None:
    """In the journal, of every folder of which it does not say anything yet. Raises `JournalError`."""
    folders = kept_beside(path)
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
        log.error("a new journal was begun (%s); the old one is kept in %s: settle it in service mode", damage, folder)


def _found(path: Path) -> tuple[list[Entry], str]:
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
    """By the rows that can be read, which may make no sense together."""
    try:
        return list(fold(entry.fact for entry in entries).transactions)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return []
