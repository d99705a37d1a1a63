"""Label files that are tables: rows come with the line they stand in, for the error that names it."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from trainer.data.readers.types import DataSetError

# Whatever is not UTF-8 is read as one of the latter: see "surrogateescape" in Python's codecs.
_NO_TEXT = re.compile("[\0\udc80-\udcff]")


def rows(path: Path, columns: set[str], hint: str, *, tabs: bool = False) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields (where, row) for each row below the head: `where` is "FILE, line N", values are stripped.

    N is the line in which the row begins; a field in quotation marks may hold line breaks.
    `hint` says what to do if the file is missing. Raises `DataSetError`, also where one of `columns`
    is missing and where a row is longer or shorter than the head.
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
                    raise DataSetError(f"{where}: its columns are not those of the head: correct or remove the line")
                yield where, {name: cell.strip() for name, cell in zip(head, cells, strict=True)}
    except OSError as error:
        raise DataSetError(f"{path} cannot be read ({error.strerror}): {hint}") from error


def _records(path: Path, lines: Iterable[str], tabs: bool) -> Iterator[tuple[str, list[str]]]:
    """Where each row begins and its cells; blank ones are passed over."""
    # In a tab-separated file a quotation mark is a letter like any other.
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(lines, strict=True)
    while True:
        where = f"{path}, line {reader.line_num + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Most often the text from an unbalanced quotation mark on, which may be the rest of the file.
            raise DataSetError(f"{where}: {error}: is a quotation mark missing here, or one too many?") from error
        if cells:
            yield where, cells


def _lines(path: Path, file: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if stray := _NO_TEXT.search(line):
            byte = ord(stray[0]) & 0xFF
            raise DataSetError(f"{path}, line {number}: byte 0x{byte:02x} is no text in UTF-8: save the table as UTF-8")
        yield line


def inside(text: str) -> str:
    """The path, relative to ROOT, as it is looked up. Raises `ValueError` for one that leaves ROOT."""
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{text!r} is not a file below ROOT")
    return path.as_posix()


def printable(name: str) -> str:
    r"""A name from the disk, its bytes that are not UTF-8 as `\xe4`; any other name as it is."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
