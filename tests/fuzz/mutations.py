"""Spoils a file in the ways that disks, cables, editors and attackers do: a seed gives the same harm every time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from random import Random

COUNT = int(os.environ.get("FUZZ", "150"))
"""How many mutations of each kind are tried: `FUZZ=10000 make test ARGS=tests/fuzz`."""

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


def mutations(sample: bytes, *, seed: int = 0, count: int = COUNT) -> Iterator[bytes]:
    """`count` spoilt copies of `sample`."""
    random = Random(seed)
    for _ in range(count):
        data = bytearray(sample)
        for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
            _spoil(data, random)
        yield bytes(data)


def _spoil(data: bytearray, random: Random) -> None:
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
        case 6:  # something nasty in place of something
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
