from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kiosk.vision.preview import MOST_PIXELS, PreviewMemory


@pytest.fixture
def shown() -> Iterator[PreviewMemory]:
    memory = PreviewMemory.create()
    yield memory
    memory.close()


@pytest.fixture
def writer(shown: PreviewMemory) -> Iterator[PreviewMemory]:
    memory = PreviewMemory.attach(shown.name)
    yield memory
    memory.close()


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_there_is_nothing_before_the_first_picture(shown: PreviewMemory) -> None:
    assert shown.read() is None


def test_a_picture_arrives_as_it_was_once(shown: PreviewMemory, writer: PreviewMemory) -> None:
    image = picture(480, 640)
    writer.write(image, frame=41)
    preview = shown.read()
    assert preview is not None
    assert preview.frame == 41
    assert preview.frame_size == (640, 480)
    assert np.array_equal(preview.image, image)
    assert shown.read() is None


def test_a_later_picture_of_another_size_takes_its_place(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(picture(480, 640), frame=1)
    writer.write(picture(100, 50), frame=2)
    preview = shown.read()
    assert preview is not None
    assert (preview.frame, preview.image.shape) == (2, (100, 50, 3))


def test_a_large_frame_is_reduced_and_says_its_own_size(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(picture(2160, 3840), frame=0)
    preview = shown.read()
    assert preview is not None
    assert preview.frame_size == (3840, 2160)
    height, width = preview.image.shape[:2]
    assert width * height <= MOST_PIXELS
    assert width / height == pytest.approx(16 / 9, rel=0.01)


def test_the_copy_shown_does_not_change_under_the_reader(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(np.zeros((10, 10, 3), np.uint8), frame=0)
    preview = shown.read()
    assert preview is not None
    writer.write(np.full((10, 10, 3), 255, np.uint8), frame=1)
    assert not preview.image.any()


def test_a_picture_in_the_middle_of_being_written_is_not_shown(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(picture(10, 10), frame=0)
    writer._header[0] += 1  # as a writer does before it touches the pixels
    assert shown.read() is None


def test_a_writer_that_died_in_the_middle_does_not_spoil_the_next(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer._header[0] += 1
    successor = PreviewMemory.attach(shown.name)
    successor.write(picture(10, 10), frame=5)
    preview = shown.read()
    successor.close()
    assert preview is not None
    assert preview.frame == 5


def test_what_was_cleared_is_gone_from_the_memory_itself() -> None:
    memory = PreviewMemory.create()
    try:
        memory.write(np.full((48, 64, 3), 200, np.uint8), 1)
        memory.clear()
        assert memory.read() is None
        assert not memory._pixels(MOST_PIXELS, 1).any()
        memory.write(np.full((48, 64, 3), 100, np.uint8), 2)
        preview = memory.read()
        assert preview is not None
        assert (preview.frame, int(preview.image.max())) == (2, 100)
    finally:
        memory.close()
