"""Every data set is read by its name."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from trainer.data import readers
from trainer.data.readers import DataSetError, Kind


@pytest.mark.parametrize("kind", get_args(Kind))
def test_an_empty_folder_is_none_of_them(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(DataSetError, match="ROOT is "):
        readers.read(kind, tmp_path)


def test_a_kind_has_its_reader(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,age,gender\n1.jpg,3,f\n", encoding="utf-8")
    assert [label.file for label in readers.read("folder", tmp_path).labels] == ["1.jpg"]
