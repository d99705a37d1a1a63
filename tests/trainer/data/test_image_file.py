"""A picture is read as a whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer.data import image_file
from trainer.data.image_file import read_image

PICTURE = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)


def encoded(ending: str, *options: int) -> bytes:
    written, content = cv2.imencode(ending, PICTURE, options)
    assert written
    return content.tobytes()


FILES = {
    "baseline JPEG": encoded(".jpg"),
    "progressive JPEG": encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "JPEG with restarts": encoded(".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "PNG": encoded(".png"),
    "BMP": encoded(".bmp"),
}


@pytest.fixture(params=FILES.values(), ids=list(FILES))
def content(request: pytest.FixtureRequest) -> bytes:
    whole: bytes = request.param
    return whole


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "picture"
    path.write_bytes(content)
    return path


def with_thumbnail(content: bytes) -> bytes:
    """The JPEG with a whole small JPEG in a segment of its own in front, as cameras write it."""
    thumbnail = cv2.imencode(".jpg", PICTURE[:16, :16])[1].tobytes()
    return content[:2] + b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail + content[2:]


def test_a_whole_picture_is_read(tmp_path: Path, content: bytes) -> None:
    digest, gray = read_image(saved(tmp_path, content))
    assert digest == hashlib.sha256(content).digest()
    expected = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert gray is not None
    np.testing.assert_array_equal(gray, expected)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.99])
def test_half_a_picture_is_not(tmp_path: Path, content: bytes, share: float) -> None:
    path = saved(tmp_path, content[: int(len(content) * share)])
    assert read_image(path)[1] is None


@pytest.mark.parametrize("share", [0.6, 0.99])
def test_a_thumbnails_end_is_not_the_pictures(tmp_path: Path, share: float) -> None:
    whole = with_thumbnail(FILES["baseline JPEG"])
    assert read_image(saved(tmp_path, whole))[1] is not None
    assert read_image(saved(tmp_path, whole[: int(len(whole) * share)]))[1] is None


JPEGS = [content for name, content in FILES.items() if "JPEG" in name]


@pytest.mark.parametrize("content", JPEGS)
@pytest.mark.parametrize(
    "trailer", [bytes(100), b"\xff\xda" + bytes(100), b"\0\0\0\x18ftypmp42" + JPEGS[0][:-200], b"\xff"]
)
def test_what_follows_a_picture_does_not_matter(tmp_path: Path, content: bytes, trailer: bytes) -> None:
    assert read_image(saved(tmp_path, content + trailer))[1] is not None


@pytest.mark.parametrize("content", JPEGS)
def test_a_jpeg_is_whole_with_its_last_byte_and_not_before(content: bytes) -> None:
    whole = with_thumbnail(content)
    assert [end for end in range(2, len(whole) + 1) if image_file._is_whole(whole[:end])] == [len(whole)]


def test_a_segments_end_is_not_the_pictures(tmp_path: Path) -> None:
    """A comment that holds both markers, in front of a scan that is cut."""
    comment = b"\xff\xfe\0\x06\xff\xda\xff\xd9"
    whole = FILES["baseline JPEG"][:2] + comment + b"\xff" + FILES["baseline JPEG"][2:]
    assert read_image(saved(tmp_path, whole))[1] is not None
    assert read_image(saved(tmp_path, whole[:-500]))[1] is None


@pytest.mark.parametrize("length", [b"", b"\0", b"\0\0", b"\0\1", b"\xff\xff"])
def test_a_length_of_garbage_is_survived(tmp_path: Path, length: bytes) -> None:
    assert read_image(saved(tmp_path, b"\xff\xd8\xff\xe1" + length))[1] is None
    assert read_image(saved(tmp_path, b"\xff\xd8\xff\xe1" + length + bytes(100)))[1] is None


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xda\xff\xd9"])
def test_what_is_no_picture_is_not_read(tmp_path: Path, content: bytes) -> None:
    assert read_image(saved(tmp_path, content))[1] is None


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    assert read_image(tmp_path)[1] is None
    assert read_image(tmp_path / "nowhere")[1] is None
