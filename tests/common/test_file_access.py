"""Who can write a file is read from the permission bits."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.common.file_access import anyone_can_replace_files, anyone_can_write, group_name, user_name


@pytest.mark.parametrize(("mode", "can_write"), [(0o644, False), (0o664, False), (0o646, True), (0o777, True)])
def test_only_the_bit_of_other_users_counts(tmp_path: Path, mode: int, can_write: bool) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(mode)
    assert anyone_can_write((tmp_path / "file").stat()) is can_write


@pytest.mark.parametrize(("mode", "can_replace"), [(0o755, False), (0o777, True), (0o1777, False)])
def test_in_a_sticky_folder_only_owners_replace_files(tmp_path: Path, mode: int, can_replace: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(mode)
    assert anyone_can_replace_files(folder.stat()) is can_replace


def test_an_unknown_user_or_group_is_named_by_its_number() -> None:
    assert user_name(0) == group_name(0) == "root"
    assert user_name(999_999_999) == group_name(999_999_999) == "999999999"
