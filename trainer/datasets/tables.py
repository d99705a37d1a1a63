"""Label files that are tables: rows come with the line they stand in, for the error that names it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from trainer.datasets.types import DataSetError


def rows(path: Path, columns: set[str], hint: str, *, tabs: bool = False) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields (where, row) for each line below the head: `where` is "FILE, line N", values are stripped.

    `hint` says what to do if the file is missing. Raises `DataSetError`, also where one of `columns`
    is missing and where a row is longer or shorter than the head.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            # In a tab-separated file a quotation mark is a letter like any other.
            reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.DictReader(file)
            if missing := columns - set(reader.fieldnames or ()):
                raise DataSetError(f"{path} has no column {', '.join(sorted(missing))}: is it the right file?")
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                # DictReader puts what is too much under None, and None for what is missing.
                if None in row or None in row.values():
                    raise DataSetError(f"{where}: its columns are not those of the head: correct or remove the line")
                yield where, {name: value.strip() for name, value in row.items()}
    except OSError as error:
        raise DataSetError(f"{path} cannot be read ({error.strerror}): {hint}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{path} is not a readable table in UTF-8 ({error}): {hint}") from error
