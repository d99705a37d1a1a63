"""A release carries dlib's model files, which are copied from the package that has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from release import dlib_models


def test_the_files_are_copied_with_their_notice(tmp_path: Path) -> None:
    dlib_models.copy(tmp_path / "dlib")
    assert {path.name for path in (tmp_path / "dlib").iterdir()} == {*dlib_models.FILES, "NOTICE.txt"}


def test_a_file_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dlib_models.FILES, "mmod_human_face_detector.dat", "0" * 64)
    with pytest.raises(ValueError, match="check its licence"):
        dlib_models.copy(tmp_path)
