"""Damaged and malicious images, GIFs and videos cause no crash, no hang and no unbounded memory use."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from tests.fuzz import picture_child
from tests.fuzz.mutations import batches, damage

SUFFIXES = (".png", ".jpg", ".bmp", ".webp", ".tif", ".ppm", ".gif", ".mp4", ".avi")
AT_ONCE = 500
LONGEST = 600.0
"""Seconds after which the child process counts as hung, if its own limit for each image has not ended it."""


def sample(folder: Path, suffix: str) -> bytes:
    """Returns a small image or clip in this format."""
    random = np.random.default_rng(7)
    frames = [np.asarray(random.integers(0, 255, (48, 64, 3)), np.uint8) for _ in range(3)]
    path = folder / f"sample{suffix}"
    if suffix in (".mp4", ".avi"):
        codec = cv2.VideoWriter.fourcc(*("mp4v" if suffix == ".mp4" else "MJPG"))
        writer = cv2.VideoWriter(str(path), codec, 10, (64, 48))
        for frame in frames:
            writer.write(frame)
        writer.release()
    elif suffix == ".gif":
        path.write_bytes(gif(frames))
    else:
        assert cv2.imwrite(str(path), frames[0])
    return path.read_bytes()


def gif(frames: list[np.ndarray]) -> bytes:
    """Returns an animated GIF of uncompressed codes, because older releases of OpenCV cannot write one."""
    height, width = frames[0].shape[:2]
    palette = bytes(value for gray in range(128) for value in (2 * gray,) * 3)
    parts = [b"GIF89a", struct.pack("<HHBBB", width, height, 0xF6, 0, 0), palette]
    for frame in frames:
        pixels = (frame[..., 0] >> 1).ravel()
        # Codes of eight bits, a byte each: the table is cleared (128) before one would have to be longer.
        codes = [code for start in range(0, len(pixels), 100) for code in (128, *map(int, pixels[start : start + 100]))]
        data = bytes((*codes, 129))
        blocks = b"".join(bytes((len(data[s : s + 255]),)) + data[s : s + 255] for s in range(0, len(data), 255))
        parts += [b"\x21\xf9\x04\x04\x0a\x00\x00\x00", b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0)]
        parts += [b"\x07", blocks, b"\x00"]
    return b"".join((*parts, b"\x3b"))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def damage_png(sample: bytes, random: Random) -> bytes:
    """Returns a PNG with wrong bytes in one chunk, inside the compressed data too, and with correct checksums."""
    parts = [sample[:8]]
    chunks = list(chunks_of(sample))
    target = random.randrange(len(chunks))
    for number, (kind, data) in enumerate(chunks):
        if number != target:
            parts.append(chunk(kind, data))
        elif kind == b"IDAT":
            parts.append(chunk(kind, zlib.compress(damage(zlib.decompress(data), random), 1)))
        elif random.random() < 0.2:
            parts.append(chunk(random.choice((b"tRNS", b"PLTE", b"acTL", b"fdAT", b"iCCP", b"eXIf")), data))
        else:
            parts.append(chunk(kind, damage(data, random)))
    return b"".join(parts)


def chunks_of(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the kind and data of each chunk; the chunks of pixels are joined, so that they can be decompressed."""
    pixels, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IDAT":
            pixels += data
            continue
        if kind == b"IEND":
            yield b"IDAT", pixels
        yield kind, data


def bomb(width: int, height: int) -> bytes:
    """Returns a PNG of a few bytes whose header claims a huge size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(100))), chunk(b"IEND", b""))
    return b"".join((b"\x89PNG\r\n\x1a\n", *chunks))


def read_in_child(folder: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", picture_child.__name__, str(folder)],
        capture_output=True,
        text=True,
        errors="replace",  # a decoder may print what it found
        check=False,
        timeout=LONGEST,
        env={**os.environ, "OPENCV_FFMPEG_LOGLEVEL": "-8"},
    )
    last = result.stdout.splitlines()[-1] if result.stdout else "nothing"
    assert result.returncode == 0, f"{last}: exit status {result.returncode}\n{result.stderr[-2000:]}"
    assert len(result.stdout.splitlines()) == len(list(folder.iterdir()))


@pytest.mark.proves("picture-spoilt")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_images_are_skipped(tmp_path: Path, suffix: str) -> None:
    content = sample(tmp_path, suffix)
    good = tmp_path / "good"
    good.mkdir()
    (good / f"good{suffix}").write_bytes(content)
    read_in_child(good)
    for at_once in batches(content, AT_ONCE, damage_png if suffix == ".png" else None):
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        for number, each in enumerate(at_once):
            (folder / f"{number:05}{suffix}").write_bytes(each)
        read_in_child(folder)
        for number, each in enumerate(at_once):
            assert (folder / f"{number:05}{suffix}").read_bytes() == each
        shutil.rmtree(folder)


@pytest.mark.proves("picture-huge")
@pytest.mark.parametrize(
    ("width", "height"), [(50_000, 50_000), (1_000_000, 1), (1, 1_000_000), (32_000, 32_000), (0, 0)]
)
def test_a_picture_that_claims_to_be_huge_takes_no_memory(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "bomb.png").write_bytes(bomb(width, height))
    read_in_child(tmp_path)
