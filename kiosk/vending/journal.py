"""The journal: one SQLite file to which every fact is appended before anything is done about it.

A row has a sequence number without gaps, the time (UTC, by the system's clock, which may jump; the number is the
order), the fact's kind and its fields as JSON, and a hash of all this and the row before it. The hashes find a row
that was changed, removed or put in, by accident or by hand. They are not signed: whoever may write the file and knows
this module can compute them all anew. A head noted elsewhere (`kiosk journal verify` prints it) finds that too.

It is kept in write-ahead mode with `synchronous=FULL`: when `append` returns, the row survives a power cut
(https://www.sqlite.org/pragma.html#pragma_synchronous).

Nothing here waits for long for another program that holds the file (`_BUSY_S`): `append` runs in the screen's thread.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

from kiosk.errors import KioskError
from kiosk.vending.facts import Fact, SaleOpened, data_of, fact_from, kind_of, name_of

_MIGRATIONS = (
    """
    CREATE TABLE journal (id TEXT NOT NULL, created TEXT NOT NULL);
    CREATE TABLE head (seq INTEGER NOT NULL, hash TEXT NOT NULL);
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        utc TEXT NOT NULL,
        kind TEXT NOT NULL,
        data TEXT NOT NULL,
        hash TEXT NOT NULL
    );
    CREATE TRIGGER events_in_order BEFORE INSERT ON events WHEN NEW.seq IS NOT (SELECT seq + 1 FROM head)
        BEGIN SELECT RAISE(ABORT, 'the journal is appended to in order'); END;
    CREATE TRIGGER events_counted AFTER INSERT ON events BEGIN UPDATE head SET seq = NEW.seq, hash = NEW.hash; END;
    CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    """,
    "-- No table is another one. From here on there may be rows of the kinds `pin_refused` and `checkpoint`.",
)
"""From one schema to the next; how many of them a file has had is its `user_version`.

A new kind of fact, and a new field of an old one, need one too, even one that changes no table: a kiosk that does not
know them must say that it is too old for this journal, and not that the journal is damaged.
"""

_READABLE = 1
"""The first schema whose tables are read as they are: an accountant's copy is not brought up to date."""


_ROWS = "SELECT seq, utc, kind, data FROM events"

_LONGEST_REASON = 300  # letters: what is wrong with a row may be as long as the row

_BUSY_S = 2.0
"""How long a file that another program has locked is waited for.

The kiosk alone writes, and whoever reads (`kiosk journal`, an export, SQLite's own shell) locks nobody out in
write-ahead mode. What remains is a program that takes the write lock for a moment: a backup, a shell in which somebody
tries something. A screen that stands still for two seconds is a smaller harm than a sale that is given up and refunded,
and no answer of a device is lost by waiting. Longer would look broken; then the sale stops, and finds its way back.
"""


class JournalError(KioskError):
    """A journal that cannot be used."""


class JournalDamagedError(JournalError):
    """A journal whose rows are not what was written. `what` is what is wrong with them, without the advice."""

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what


class JournalInUseError(JournalError):
    """A journal that another program is writing."""


@dataclass(frozen=True)
class Entry:
    """One row."""

    seq: int
    utc: str
    """ISO 8601, to the millisecond, ending in Z."""
    fact: Fact


@dataclass(frozen=True)
class Head:
    """The last row's number and hash; number 0 before the first."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Head:
        """`"123:9f2c…"`, of whose hash the beginning is enough. Raises `JournalError`."""
        match = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{8,64})", text)
        if match is None:
            raise JournalError(f"{text!r} is no head of a journal: give it as `kiosk journal verify` printed it")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _utc(time: datetime) -> str:
    """As a row has it: of a fixed width, so that the order of the texts is that of the times."""
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Journal:
    """The journal, open for appending by this process alone.

    Raises `JournalInUseError`, `JournalDamagedError`, or `JournalError` for whatever else is wrong with the file.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = _now) -> None:
        self._path = path
        self._clock = clock
        self._lock = locked(path)
        try:
            with _explained(path):
                self._database = self._connected(str(path))
                try:
                    self._migrate()
                    self._head = _verified(self._database, path)
                    self.id: str = self._database.execute("SELECT id FROM journal").fetchone()[0]
                except BaseException:
                    self._database.close()
                    raise
        except BaseException:
            self._lock.close()
            raise

    def append(self, fact: Fact) -> Entry:
        """Writes a fact to the disk. Raises `JournalError`; then the row may be there or not."""
        seq, utc = self._head.seq + 1, _utc(self._clock())
        kind, data = kind_of(fact), json.dumps(data_of(fact), ensure_ascii=False, separators=(",", ":"))
        digest = _hash(self._head.hash, seq, utc, kind, data)
        with _explained(self._path), _transaction(self._database):
            self._database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", (seq, utc, kind, data, digest))
        self._head = Head(seq, digest)
        return Entry(seq, utc, fact)

    def reopen(self) -> None:
        """Opens the file anew after an error, and checks that every row that was appended is there.

        There may be one more: the row of the `append` that failed. Raises as the beginning does; then nothing changed.
        """
        with _explained(self._path):
            database = self._connected(f"{self._path.absolute().as_uri()}?mode=rw")
            try:
                head = _verified(database, self._path)
                row = database.execute("SELECT hash FROM events WHERE seq = ?", (self._head.seq,)).fetchone()
                if database.execute("SELECT id FROM journal").fetchone()[0] != self.id:
                    raise _damaged(self._path, "it is another one")
                if self._head.seq and row != (self._head.hash,):
                    raise _damaged(self._path, f"row {self._head.seq} is not the one that was written")
            except BaseException:
                database.close()
                raise
            old, self._database, self._head = self._database, database, head
        with suppress(sqlite3.Error):
            old.close()

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every row whose number is over `after`, in order."""
        return _entries(self._database, self._path, "WHERE seq > ? ORDER BY seq", after)

    def of_kind(self, kind: type[Fact]) -> Iterator[Entry]:
        """Every row of a kind, in order. The others are not even parsed."""
        return _entries(self._database, self._path, "WHERE kind = ? ORDER BY seq", name_of(kind))

    def latest(self, kind: type[Fact]) -> Entry | None:
        """The last row of a kind."""
        last = "WHERE kind = ? ORDER BY seq DESC LIMIT 1"
        return next(_entries(self._database, self._path, last, name_of(kind)), None)

    @property
    def head(self) -> Head:
        """The last row."""
        return self._head

    def answers(self) -> bool:
        """Whether its file can be read."""
        try:
            return bool(self._database.execute("SELECT seq FROM head").fetchone() == (self._head.seq,))
        except sqlite3.Error:
            return False

    def close(self) -> None:
        """Lets others write."""
        self._database.close()
        self._lock.close()

    def _connected(self, name: str) -> sqlite3.Connection:
        # Transactions are begun and committed by hand.
        database = sqlite3.connect(name, isolation_level=None, timeout=_BUSY_S, uri=name.startswith("file:"))
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
        except BaseException:
            database.close()
            raise
        return database

    def _migrate(self) -> None:
        version = _version(self._database, self._path)
        for number, script in enumerate(_MIGRATIONS[version:], version + 1):
            with _transaction(self._database):
                for statement in _statements(script):
                    self._database.execute(statement)
                if number == 1:
                    id_ = secrets.token_hex(4)
                    self._database.execute("INSERT INTO journal VALUES (?, ?)", (id_, self._clock().isoformat()))
                    self._database.execute("INSERT INTO head VALUES (0, ?)", (id_,))
                self._database.execute(f"PRAGMA user_version = {number}")


def read(path: Path) -> list[Entry]:
    """Every row of a journal that may be in use. Raises `JournalError`."""
    with _explained(path), closing(_opened_to_read(path)) as database:
        return list(_entries(database, path))


def read_between(path: Path, since: datetime, until: datetime) -> list[Entry]:
    """The rows whose time is `since` or later and before `until`, of a journal that may be in use.

    SQLite selects them, and nothing else is read into Python. Raises `JournalError`.
    """
    with _explained(path), closing(_opened_to_read(path)) as database:
        return list(_entries(database, path, "WHERE utc >= ? AND utc < ? ORDER BY seq", _utc(since), _utc(until)))


def read_after(path: Path, seq: int, limit: int) -> tuple[str, list[Entry]]:
    """The id of a journal that may be in use, and its first `limit` rows after row `seq`. Raises `JournalError`."""
    with _explained(path), closing(_opened_to_read(path)) as database:
        id_: str = database.execute("SELECT id FROM journal").fetchone()[0]
        return id_, list(_entries(database, path, "WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit))


def opening_of(path: Path, sale: str) -> SaleOpened | None:
    """How a sale began, of a journal that may be in use. Raises `JournalError`."""
    with _explained(path), closing(_opened_to_read(path)) as database:
        rows = database.execute("SELECT seq, data FROM events WHERE kind = 'sale_opened' ORDER BY seq DESC")
        for seq, text in rows:  # the newest first: it is among the last few
            try:
                data = json.loads(text)
                if data["sale"] == sale:
                    return SaleOpened(**data)
            except (ValueError, TypeError, KeyError) as error:
                raise _damaged(path, f"row {seq}: {error}") from error
    return None


def read_verified(path: Path) -> tuple[list[Entry], Head]:
    """Every row that was verified, and the head that they end with; what is written meanwhile is left out.

    Raises `JournalDamagedError`.
    """
    head = verify(path)
    return [entry for entry in read(path) if entry.seq <= head.seq], head


def survey(path: Path) -> tuple[list[Entry], JournalDamagedError | None]:
    """Every row that can be read, of a damaged journal too, and what is wrong with it. Raises `JournalError`."""
    entries: list[Entry] = []
    damage: JournalDamagedError | None = None
    try:
        with _explained(path), closing(_opened_to_read(path)) as database:
            database.text_factory = _readable
            with closing(database.execute(f"{_ROWS} ORDER BY seq")) as rows:
                for row in rows:
                    try:
                        entries.append(_entry(path, *row))
                    except JournalDamagedError as unreadable:
                        damage = damage or unreadable
            _verified(database, path)
    except JournalDamagedError as error:
        damage = error
    return entries, damage


def verify(path: Path, noted: Head | None = None) -> Head:
    """Checks every row, and that the journal goes through a head that was noted elsewhere. Returns its head.

    Raises `JournalDamagedError`, which names the first row that is wrong.
    """
    with _explained(path), closing(_opened_to_read(path)) as database:
        head = _verified(database, path)
        if noted and noted.seq:
            row = database.execute("SELECT hash FROM events WHERE seq = ?", (noted.seq,)).fetchone()
            if row is None or not row[0].startswith(noted.hash):
                raise _damaged(path, f"row {noted.seq} is not the one that was noted")
        return head


def _readable(text: bytes) -> str:
    return text.decode(errors="replace")


def _verified(database: sqlite3.Connection, path: Path) -> Head:
    problem = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if problem != "ok":
        raise _damaged(path, problem)
    ids = database.execute("SELECT id FROM journal").fetchall()
    if len(ids) != 1:
        raise _damaged(path, "it has no id")
    head = Head(0, ids[0][0])
    # Closed also where it ends early: a database with an open cursor stays open, whoever closes it.
    with closing(database.execute("SELECT * FROM events ORDER BY seq")) as rows:
        for seq, utc, kind, data, digest in rows:
            if seq != head.seq + 1:
                raise _damaged(path, f"row {head.seq + 1} is missing")
            if digest != _hash(head.hash, seq, utc, kind, data):
                raise _damaged(path, f"row {seq} was changed")
            head = Head(seq, digest)
    if database.execute("SELECT seq, hash FROM head").fetchall() != [(head.seq, head.hash)]:
        raise _damaged(path, f"rows after {head.seq} are missing")
    if not _schema(_version(database, path)) <= set(database.execute("SELECT name, sql FROM sqlite_master")):
        raise _damaged(path, "its tables and triggers are not the kiosk's")  # its rows are whole: no new one can be
    return head


def _schema(version: int) -> set[tuple[str, str]]:
    """Name and text of every table and trigger that a journal of this version has."""
    with closing(sqlite3.connect(":memory:")) as empty:
        for script in _MIGRATIONS[:version]:
            empty.executescript(script)
        return set(empty.execute("SELECT name, sql FROM sqlite_master"))


def _entries(
    database: sqlite3.Connection, path: Path, which: str = "ORDER BY seq", *values: int | str
) -> Iterator[Entry]:
    with _explained(path), closing(database.execute(f"{_ROWS} {which}", values)) as rows:
        for row in rows:
            yield _entry(path, *row)


def _entry(path: Path, seq: int, utc: str, kind: str, data: str) -> Entry:
    try:
        datetime.fromisoformat(utc.removesuffix("Z"))  # whoever shows it counts on that
        said = json.loads(data)
        if "\\u" in data:  # half a surrogate can be read, and never be written again
            json.dumps(said, ensure_ascii=False).encode()
        return Entry(seq, utc, fact_from(kind, said))
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise _damaged(path, f"row {seq}: {error}") from error


def _hash(previous: str, *values: Any) -> str:
    return hashlib.sha256("\n".join(map(str, (previous, *values))).encode()).hexdigest()


def _opened_to_read(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise JournalError(f"there is no journal {path}: name the one that the kiosk writes")
    if (
        path.stat().st_size <= 1
    ):  # SQLite takes a single byte for none, and would delete the rows beside it, even to read
        raise _damaged(path, "it is empty")
    database = sqlite3.connect(f"{path.absolute().as_uri()}?{_mode_to_read(path)}", uri=True)
    try:
        database.execute("BEGIN")  # all that is read is of one moment, whatever the kiosk writes meanwhile
        if _version(database, path) < _READABLE:
            raise JournalError(f"journal {path} is of an older version: start the kiosk once to bring it up to date")
    except BaseException:
        database.close()
        raise
    return database


def _mode_to_read(path: Path) -> str:
    """In write-ahead mode SQLite makes a file beside the journal even to read it.

    Where that cannot be, as on a medium that is read-only, nobody writes the journal either, and it is read as it is.
    """
    if os.access(path.parent, os.W_OK, effective_ids=True):
        return "mode=ro"
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        return "mode=ro&immutable=1"
    if path.with_name(f"{path.name}-shm").exists():  # somebody else writes it, and lets us look on
        return "mode=ro"
    raise JournalError(
        f"journal {path} cannot be read here with the rows in {log.name}: copy both to a folder that can be written, "
        "and name the copy"
    )


def _version(database: sqlite3.Connection, path: Path) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise JournalError(f"journal {path} was written by a newer kiosk: install that version or a newer one")
    return version


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _damaged(path: Path, what: str) -> JournalDamagedError:
    what = " ".join(what.split())[:_LONGEST_REASON]
    return JournalDamagedError(
        f"journal {path} is damaged, {what}: at its next start the kiosk keeps it in a folder beside, for whoever does "
        "the accounts, and begins a new one, in which the stock is the catalogue's until you count it, and which knows "
        "nothing of payments that still have to go back: reverse those at the terminal",
        what,
    )


def locked(journal: Path) -> IO[str]:
    """An open, locked file beside the journal; the system unlocks it when the process ends, however it ends.

    Raises `JournalInUseError`, `JournalError`.
    """
    path = journal.with_name(f"{journal.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a", encoding="utf-8")
    except OSError as error:
        raise JournalError(f"journal lock {path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise JournalInUseError(
            f"journal lock {path} is held: another kiosk is running, stop that one first"
        ) from error
    return lock


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "decode" in str(error):  # Python's own, of text that is no UTF-8: its line would repeat the text
            raise _damaged(path, "a row is no text") from error
        raise JournalError(f"journal {path} cannot be used ({error}): look at its disk and folder") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter of a text that is none any more
        raise _damaged(path, str(error)) from error
