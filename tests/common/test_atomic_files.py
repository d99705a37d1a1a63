"""A replaced file is the old one or the new one, never half of either."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kiosk.common.atomic_files import replace_file, replace_files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "stock.json"
    path.parent.mkdir()
    path.write_text("old, and longer than the new one")
    return path


def names_beside(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def test_the_new_file_replaces_the_whole_old_one(path: Path) -> None:
    with replace_file(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert names_beside(path) == [path.name]


def test_the_old_file_stays_until_the_block_is_done(path: Path) -> None:
    with replace_file(path) as temporary:
        temporary.write_text("half")
        assert path.read_text().startswith("old")
        assert temporary.parent == path.parent


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_old_file_stays_if_the_block_raises(path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), replace_file(path) as temporary:
        half_written(temporary, error)
    assert path.read_text().startswith("old")
    assert names_beside(path) == [path.name]


def half_written(path: Path, error: type[BaseException]) -> None:
    path.write_text("half")
    raise error("half")


def test_nothing_is_left_if_the_first_write_fails(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), replace_file(tmp_path / "new.json"):
        raise OSError("disk full")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_replaced_and_no_temporary_file_is_left(tmp_path: Path) -> None:
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="taken"), replace_file(tmp_path / "taken") as temporary:
        temporary.write_text("new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.json"
    with replace_file(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_the_temporary_file_keeps_the_suffix(tmp_path: Path) -> None:
    with replace_file(tmp_path / "network.onnx") as temporary:
        assert temporary.suffix == ".onnx"


def test_every_user_may_read_the_new_file(path: Path) -> None:
    with replace_file(path) as temporary:
        temporary.write_text("new")
    assert path.stat().st_mode & 0o777 == 0o644


def test_two_writers_do_not_share_a_temporary_file(path: Path) -> None:
    with replace_file(path) as first, replace_file(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"


def all_written(paths: tuple[Path, ...]) -> None:
    for path in paths:
        path.write_text("new")


def test_files_that_belong_together_are_replaced_together(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for path in (one, two):
        path.write_text("old")
    with pytest.raises(ValueError, match="half"), replace_files(one, two) as (first, _):
        half_written(first, ValueError)
    assert [path.read_text() for path in (one, two)] == ["old", "old"]
    with replace_files(one, two) as (first, second):
        first.write_text("new")
        second.write_text("new")
    assert [path.read_text() for path in (one, two)] == ["new", "new"]
    assert names_beside(one) == ["one", "two"]


def test_an_interrupt_waits_until_all_files_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    replace = Path.replace

    def interrupted(path: Path, target: Path) -> Path:
        result = replace(path, target)
        signal.raise_signal(signal.SIGINT)
        return result

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), replace_files(one, two) as both:
        all_written(both)
    assert [path.read_text() for path in (one, two)] == ["new", "new"]


def test_a_folder_or_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"), replace_file(tmp_path):
        pytest.fail("the block was entered")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="not a regular file"), replace_file(pipe):
        pytest.fail("the block was entered")
    assert pipe.is_fifo()
    late = tmp_path / "late"
    with pytest.raises(OSError, match="not a regular file"), replace_files(tmp_path / "first", late):
        late.mkdir()
    assert not (tmp_path / "first").exists()
