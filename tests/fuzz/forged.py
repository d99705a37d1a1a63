"""Damages a journal and corrects its checksums, as a forger could, or a fault before the checksum is computed."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from random import Random

from tests.fuzz.mutations import damage
from tests.fuzz.structures import damage_json

HEADER, FRAME = 32, 24
"""Bytes of a write-ahead log's header and of each page's (https://www.sqlite.org/fileformat2.html#walformat)."""


def damage_wal(sample: bytes, random: Random) -> bytes:
    """Returns a write-ahead log with wrong bytes in one or two pages and correct checksums: SQLite reads them."""
    (page_size,) = struct.unpack(">I", sample[8:12])
    step = FRAME + page_size
    frames = [bytearray(sample[at : at + step]) for at in range(HEADER, len(sample) - step + 1, step)]
    for frame in random.sample(frames, random.choice((1, 1, 2))):
        page = damage(bytes(frame[FRAME:]), random)
        frame[FRAME:] = page[:page_size].ljust(page_size, b"\0")
    header = bytearray(sample[:HEADER])
    order = ">" if header[3] & 1 else "<"
    sums = _checksum((0, 0), bytes(header[:24]), order)
    header[24:] = struct.pack(">II", *sums)
    for frame in frames:
        frame[8:16] = header[16:24]  # the salts that mark the frame as part of this log
        sums = _checksum(sums, bytes(frame[:8] + frame[FRAME:]), order)
        frame[16:FRAME] = struct.pack(">II", *sums)
    return bytes(header) + b"".join(frames)


def _checksum(sums: tuple[int, int], data: bytes, order: str) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def forge(journal: Path, random: Random) -> None:
    """Changes a few rows of a journal and computes all its hashes again."""
    with closing(sqlite3.connect(journal, isolation_level=None)) as database:
        database.execute("BEGIN")
        (trigger,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'events_stay'").fetchone()
        database.execute("DROP TRIGGER events_stay")
        rows = [list(row) for row in database.execute("SELECT seq, utc, kind, data FROM events ORDER BY seq")]
        for row in random.sample(rows, random.choice((1, 1, 2, 5))):
            match random.randrange(8):
                case 0:
                    row[2] = random.choice(rows)[2]
                case 1:
                    row[3] = random.choice(rows)[3]
                case 2:
                    row[1] = random.choice(("", "yesterday", "9999-12-31T23:59:59.999Z", "2026-03-02", 5, 1.5))
                case 3:
                    row[3] = damage(row[3].encode(), random).decode("utf-8", "replace")
                case _:
                    row[3] = damage_json(row[3].encode(), random).decode()
        previous = database.execute("SELECT id FROM journal").fetchone()[0]
        for row in rows:
            previous = hashlib.sha256("\n".join(map(str, (previous, *row))).encode()).hexdigest()
            database.execute(
                "UPDATE events SET utc = ?, kind = ?, data = ?, hash = ? WHERE seq = ?", (*row[1:], previous, row[0])
            )
        database.execute("UPDATE head SET hash = ?", (previous,))
        database.execute(trigger)
        database.execute("COMMIT")
