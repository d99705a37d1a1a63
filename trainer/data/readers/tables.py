"""Reads label tables with the line number of each row, and checks file names."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from trainer.data.readers.types import DataSetError

# Bytes that are not UTF-8 are read as one of the latter: see "surrogateescape" in Python's codecs.
_NO_TEXT = re.compile("[\0\udc80-\udcff]")


def rows(path: Path, columns: set[str], hint: str, *, tabs: bool = False) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields (where, row) for each row below the header. `where` is "FILE, line N"; values are stripped.

    N is the line in which the row begins; a quoted field may contain line breaks. `hint` says what to do if the file is
    missing. Raises `DataSetError`, also if one of `columns` is missing or a row is longer or shorter than the header.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            records = _records(path, _lines(path, file), tabs)
            head = [name.strip() for name in next(records, ("", []))[1]]
            if not head:
                raise DataSetError(f"{path} is empty: {hint}")
            if missing := ", ".join(sorted(columns - set(head))):
                if len(head) == 1:
                    separators = "tabs" if tabs else "commas"
                    raise DataSetError(f"{path} has no column {missing}: separate its columns by {separators}")
                raise DataSetError(f"{path} has no column {missing}: is it the right file?")
            for where, cells in records:
                if len(cells) != len(head):
                    raise DataSetError(f"{where}: its columns do not match the header: correct or remove the line")
                yield where, {name: cell.strip() for name, cell in zip(head, cells, strict=True)}
    except OSError as error:
        raise DataSetError(f"{path} cannot be read ({error.strerror}): {hint}") from error


def _records(path: Path, lines: Iterable[str], tabs: bool) -> Iterator[tuple[str, list[str]]]:
    """Yields where each row begins, and its cells. Skips blank rows."""
    # In a tab-separated file, quotation marks have no special meaning.
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(lines, strict=True)
    while True:
        where = f"{path}, line {reader.line_num + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Usually an unbalanced quotation mark, which may extend to the end of the file.
            raise DataSetError(f"{where}: {error}: is a quotation mark missing here, or one too many?") from error
        if cells:
            yield where, cells


def _lines(path: Path, file: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if stray := _NO_TEXT.search(line):
            byte = ord(stray[0]) & 0xFF
            raise DataSetError(f"{path}, line {number}: byte 0x{byte:02x} is not UTF-8: save the table as UTF-8")
        yield line


def inside(text: str) -> str:
    """Returns a path relative to ROOT in its normal form. Raises `ValueError` if it leaves ROOT."""
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{text!r} is not a file below ROOT")
    return path.as_posix()


def printable(name: str) -> str:
    r"""Returns a file name in which bytes that are not UTF-8 are written as `\xe4`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
