"""Half-done work comes back as it was, and only to what it belongs to."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import numpy as np
import pytest

from trainer.data import partial_results
from trainer.data.partial_results import Part, ResumeCache

PART = Part(
    np.array([0, 1, 2, 0], np.uint8),
    np.arange(128, dtype=np.uint8).reshape(4, 32),
    np.arange(2 * 99 * 99, dtype=np.uint32).reshape(2, 99, 99).astype(np.uint8),
)


def same(one: Part | None, other: Part) -> bool:
    return one is not None and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("outcomes", "digests", "crops")
    )


def test_a_part_comes_back_in_the_next_run(tmp_path: Path) -> None:
    ResumeCache(tmp_path, "plan").write(3, PART)
    kept = ResumeCache(tmp_path, "plan")
    assert 3 in kept
    assert 2 not in kept
    assert same(kept.read(3), PART)


def test_parts_of_another_plan_are_gone(tmp_path: Path) -> None:
    ResumeCache(tmp_path, "plan").write(3, PART)
    assert 3 not in ResumeCache(tmp_path, "another plan")
    assert 3 not in ResumeCache(tmp_path, "plan")


@pytest.mark.parametrize("plan", ["", "[]", "{}", "{", "\0"])
def test_parts_without_a_plan_are_gone(tmp_path: Path, plan: str) -> None:
    ResumeCache(tmp_path, "plan").write(3, PART)
    (tmp_path / ".parts/plan.json").write_text(plan, encoding="utf-8")
    assert 3 not in ResumeCache(tmp_path, "plan")


@pytest.mark.parametrize("length", [0, 10, 500, -100, -10])
def test_a_damaged_part_is_thrown_away(tmp_path: Path, length: int) -> None:
    kept = ResumeCache(tmp_path, "plan")
    kept.write(3, PART)
    path = tmp_path / ".parts/part-00003.npz"
    path.write_bytes(path.read_bytes()[:length])
    assert kept.read(3) is None
    assert 3 not in kept


def test_parts_of_another_plan_leave_the_folder_as_it_is(tmp_path: Path) -> None:
    """It is locked, and the lock would go with it."""
    out = tmp_path / "out"
    with partial_results.lock_folder(out):
        before = out.stat().st_ino
        ResumeCache(out, "plan").write(3, PART)
        ResumeCache(out, "another plan")
        assert out.stat().st_ino == before
        with pytest.raises(BlockingIOError), partial_results.lock_folder(out):
            pass
    with partial_results.lock_folder(out):
        pass


def test_a_disk_that_locks_no_folders_goes_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with partial_results.lock_folder(tmp_path):
        pass


def test_nothing_else_is_removed_with_the_parts(tmp_path: Path) -> None:
    out = tmp_path / "out"
    ResumeCache(out, "plan").write(3, PART)
    (out / "faces.csv").touch()
    partial_results.remove(out)
    assert [path.name for path in out.iterdir()] == ["faces.csv"]


def test_a_folder_that_was_only_made_for_parts_goes_with_them(tmp_path: Path) -> None:
    ResumeCache(tmp_path / "out", "plan").write(3, PART)
    partial_results.remove(tmp_path / "out")
    assert not (tmp_path / "out").exists()
