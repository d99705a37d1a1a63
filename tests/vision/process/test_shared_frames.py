from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kiosk.vision.process.messages import Preview
from kiosk.vision.process.shared_frames import MAX_PIXELS, SLOTS, STILL_FRAMES, PreviewMemory


@pytest.fixture
def reader() -> Iterator[PreviewMemory]:
    memory = PreviewMemory.create()
    yield memory
    memory.close()


@pytest.fixture
def writer(reader: PreviewMemory) -> Iterator[PreviewMemory]:
    memory = PreviewMemory.attach(reader.name)
    yield memory
    memory.close()


def make_random_image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_read_returns_none_before_the_first_image(reader: PreviewMemory) -> None:
    assert reader.read() is None


def test_image_is_read_once_and_unchanged(reader: PreviewMemory, writer: PreviewMemory) -> None:
    image = make_random_image(480, 640)
    writer.write(image, frame=41)
    preview = reader.read()
    assert preview is not None
    assert preview.frame == 41
    assert preview.frame_size == (640, 480)
    assert np.array_equal(preview.image[..., :3], image)
    assert preview.intact()
    assert reader.read() is None


def test_newer_image_may_have_another_size(reader: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(make_random_image(480, 640), frame=1)
    writer.write(make_random_image(100, 50), frame=2)
    preview = reader.read()
    assert preview is not None
    assert (preview.frame, preview.image.shape) == (2, (100, 50, 4))


def test_large_frame_is_reduced_and_keeps_its_frame_size(reader: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(make_random_image(2160, 3840), frame=0)
    preview = reader.read()
    assert preview is not None
    assert preview.frame_size == (3840, 2160)
    height, width = preview.image.shape[:2]
    assert width * height <= MAX_PIXELS
    assert width / height == pytest.approx(16 / 9, rel=0.01)


def test_read_returns_a_read_only_view_of_the_shared_memory(reader: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(make_random_image(10, 10), frame=0)
    preview = reader.read()
    assert preview is not None
    assert np.shares_memory(preview.image, reader._pixels(1, 10, 10))
    with pytest.raises(ValueError, match="read-only"):
        preview.image[0, 0] = 0


def test_preview_stays_intact_until_its_slot_is_written_again(reader: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(make_flat_image(0), frame=0)
    preview = reader.read()
    assert preview is not None
    for frame in range(1, SLOTS):
        writer.write(make_flat_image(frame), frame)
        assert preview.intact()
        assert not preview.image[..., :3].any()
    writer.write(make_flat_image(SLOTS), SLOTS)
    assert not preview.intact()


def test_each_of_many_images_is_read_correctly(reader: PreviewMemory, writer: PreviewMemory) -> None:
    for frame in range(3 * SLOTS):
        writer.write(make_flat_image(frame), frame)
        preview = reader.read()
        assert preview is not None
        assert (preview.frame, set(preview.image[..., :3].ravel().tolist())) == (frame, {frame})


def test_copy_stays_intact_after_its_slot_is_written_again(reader: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(make_flat_image(7), frame=0)
    preview = reader.read()
    assert preview is not None
    kept = preview.copy_if_intact()
    for frame in range(1, SLOTS + 1):
        writer.write(make_flat_image(100 + frame), frame)
    assert kept is not None
    assert kept.intact()
    assert set(kept.image[..., :3].ravel().tolist()) == {7}
    assert preview.copy_if_intact() is None


class DeathError(Exception):
    """Raised while an image is being written, as if the process were killed there."""


def die_while_writing(writer: PreviewMemory, frame: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_half(source: np.ndarray, _code: int, dst: np.ndarray) -> None:
        dst[: dst.shape[0] // 2, :, :3] = source[: dst.shape[0] // 2]
        raise DeathError

    with monkeypatch.context() as patch:
        patch.setattr("kiosk.vision.process.shared_frames.cv2.cvtColor", write_half)
        with pytest.raises(DeathError):
            writer.write(make_flat_image(200), frame)


def test_half_written_image_is_not_returned(
    reader: PreviewMemory, writer: PreviewMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for frame in range(2 * SLOTS):  # so that each slot is half-written once, after it held other images
        writer.write(make_flat_image(frame), frame)
        before = reader.read()
        die_while_writing(writer, frame, monkeypatch)
        assert reader.read() is None
        assert before is not None
        assert before.intact()
        assert set(before.image[..., :3].ravel().tolist()) == {frame}


def test_overwritten_preview_is_not_intact(
    reader: PreviewMemory, writer: PreviewMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write(make_flat_image(1), frame=1)
    preview = reader.read()
    assert preview is not None
    for frame in range(2, SLOTS + 1):
        writer.write(make_flat_image(frame), frame)
    die_while_writing(writer, SLOTS + 1, monkeypatch)  # half of it overwrites the first image
    assert preview.image.max() == 255
    assert not preview.intact()


def test_new_writer_works_after_one_died_while_writing(
    reader: PreviewMemory, writer: PreviewMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write(make_flat_image(4), frame=4)
    die_while_writing(writer, 5, monkeypatch)
    successor = PreviewMemory.attach(reader.name)
    successor.clear()
    assert reader.read() is None
    successor.write(make_flat_image(6), frame=6)
    preview = reader.read()
    successor.close()
    assert preview is not None
    assert preview.frame == 6
    assert set(preview.image[..., :3].ravel().tolist()) == {6}


def test_clear_overwrites_the_memory_with_zeros(
    reader: PreviewMemory, writer: PreviewMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for frame in range(SLOTS):
        writer.write(make_flat_image(200 + frame), frame)
    preview = reader.read()
    assert preview is not None
    die_while_writing(writer, SLOTS, monkeypatch)
    writer.clear()
    assert reader.blank
    assert not any(reader._memory.buf[64:])  # only the number of images remains
    assert not preview.intact()
    assert reader.read() is None
    writer.write(make_flat_image(100), SLOTS + 1)
    newest = reader.read()
    assert newest is not None
    assert (newest.frame, set(newest.image[..., :3].ravel().tolist())) == (SLOTS + 1, {100})


def test_identical_frames_are_written_once(reader: PreviewMemory, writer: PreviewMemory) -> None:
    frames = 3 * STILL_FRAMES
    seen = []
    for frame in range(frames):
        writer.write(make_flat_image(9), frame)
        if preview := reader.read():
            seen.append(preview.frame)
    assert seen == [0, STILL_FRAMES, 2 * STILL_FRAMES]
    other = make_flat_image(9)
    other[3, 5, 1] = 10
    writer.write(other, frames)
    preview = reader.read()
    assert preview is not None
    assert (preview.frame, preview.image[3, 5, 1]) == (frames, 10)
    writer.write(other, frames + 1)
    assert reader.read() is None
    writer.clear()
    writer.write(other, frames + 2)
    assert reader.read() is not None


def test_preview_stays_readable_after_close() -> None:
    memory = PreviewMemory.create()
    memory.write(make_flat_image(3), 0)
    preview: Preview | None = memory.read()
    memory.close()
    assert preview is not None
    assert preview.intact()
    assert preview.image.max() == 255
    del preview


def make_flat_image(value: int) -> np.ndarray:
    return np.full((48, 64, 3), value, np.uint8)
