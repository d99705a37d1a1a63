"""Damages bytes in the ways that disks, cables, editors and attackers do. The same seed gives the same damage.

Every test that iterates over `mutations` or `rounds` tries `COUNT` inputs. The end of a test run prints the counts
(tests/conftest.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from random import Random

from tests.fuzz import watch

COUNT = int(os.environ.get("FUZZ", "150"))
"""How many inputs each test tries: `FUZZ=10000 make test ARGS=tests/fuzz` raises it."""

tried: dict[str, int] = {}
"""How many inputs each test has passed, by the test's name."""

NASTY: Sequence[bytes] = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",  # half a surrogate
    b"-1",
    b"0",
    b"1e999",
    b"nan",
    b"99999999999999999999999999999999",
    b"9" * 5000,
    b"true",
    b'"',
    b"'''",
    b"[[",
    b"]",
    b"{",
    b"#",
    b"=",
    b"\r",
    b"../../../../etc/passwd",
    b"~nobody-there/x",
    b"%s%n",
    b"\\u0000",
    "‮𝔞".encode(),
)
DEEP: Sequence[bytes] = (b"[" * 5000, b"{" * 5000, b'{"a":' * 5000, b"a=" + b"[" * 5000, b"a." * 5000)

Within = Callable[[bytes, Random], bytes]
"""A function that damages a sample's content but keeps its form, so that the damage passes the first checks."""


def rounds(seed: int = 0) -> Iterator[Random]:
    """Yields `COUNT` random generators, one for each input, and limits the time and memory that the input may take."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0].rpartition("/")[2]
    most = watch.memory() + watch.MOST_GROWTH
    for number in range(COUNT):
        watch.begin()
        yield Random(f"{seed} {number}")
        watch.end()
        assert watch.most_memory() < most, f"input {number} takes more than {watch.MOST_GROWTH >> 20} MiB"
        tried[test] = tried.get(test, 0) + 1


def mutations(sample: bytes, *, seed: int = 0, within: Within | None = None) -> Iterator[bytes]:
    """Yields `COUNT` damaged copies of `sample`; if `within` is given, it makes every second one."""
    turns = count()
    for random in rounds(seed):
        yield within(sample, random) if within and next(turns) % 2 else damage(sample, random)


def batches(sample: bytes, size: int, within: Within | None = None) -> Iterator[list[bytes]]:
    """Yields the same copies in lists of `size`, for a process that has its own limits."""
    each = mutations(sample, within=within)
    while at_once := list(islice(each, size)):
        watch.end()
        yield at_once


def damage(sample: bytes, random: Random) -> bytes:
    """Returns a copy of `sample` with a few wrong bytes."""
    data = bytearray(sample)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        _damage_once(data, random)
    return bytes(data)


def _damage_once(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data) + 1)
    length = min(random.choice((1, 1, 2, 4, 16, 64, 512)), len(data) - at)
    match random.randrange(10):
        case 0 if data:  # a bit flips
            data[at % len(data)] ^= 1 << random.randrange(8)
        case 1 if data:  # a byte becomes an extreme one
            data[at % len(data)] = random.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
        case 2:  # some are lost
            del data[at : at + length]
        case 3:  # some come twice
            data[at:at] = data[at : at + length]
        case 4:  # the rest is lost
            del data[at:]
        case 5:  # a block is zero, as after a power cut
            data[at : at + length] = bytes(length)
        case 6:  # something nasty replaces something
            data[at : at + length] = random.choice(NASTY)
        case 7:  # two blocks change places
            there = random.randrange(len(data) + 1)
            block = bytes(data[there : there + length])
            data[there : there + length] = data[at : at + length]
            data[at : at + length] = block
        case 8:  # a line is repeated, or moved into another place
            lines = bytes(data).split(b"\n")
            lines.insert(random.randrange(len(lines) + 1), random.choice(lines))
            data[:] = b"\n".join(lines)
        case _:
            data[at:at] = random.choice(DEEP) if random.random() < 0.05 else random.choice(NASTY)
