"""Reads the labels of data sets as their authors distribute them, with one reader each.

A reader opens label files and folders, but no image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from trainer.data.readers import adience, fairface, folder, utkface
from trainer.data.readers.types import DataSet, DataSetError

__all__ = ["DataSet", "DataSetError", "Kind", "read"]

Kind = Literal["adience", "fairface", "utkface", "folder"]
"""The data sets of `trainer prepare`."""

_READERS: Mapping[Kind, Callable[[Path], DataSet]] = {
    "adience": adience.read,
    "fairface": fairface.read,
    "utkface": utkface.read,
    "folder": folder.read,
}


def read(kind: Kind, root: Path) -> DataSet:
    """Returns the labels of the data set in the folder `root`. Raises `DataSetError`."""
    return _READERS[kind](root)
