"""Tables are read with their line numbers, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.data.readers import DataSetError
from trainer.data.readers.tables import rows


def table(folder: Path, content: bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataSetError) as caught:
        list(rows(path, {"file", "age"}, "mend it"))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_rows_come_with_their_lines(tmp_path: Path) -> None:
    path = table(tmp_path, b'file,age\n"a\nb.jpg", 3\nc.jpg,4 \n')
    assert list(rows(path, {"file"}, "")) == [
        (f"{path}, line 2", {"file": "a\nb.jpg", "age": "3"}),
        (f"{path}, line 4", {"file": "c.jpg", "age": "4"}),
    ]


def test_blank_lines_count(tmp_path: Path) -> None:
    path = table(tmp_path, b"\nfile,age\n\n\nc.jpg,4\n")
    assert [where for where, _ in rows(path, {"file"}, "")] == [f"{path}, line 5"]


def test_in_a_tab_separated_table_quotation_marks_are_letters(tmp_path: Path) -> None:
    path = table(tmp_path, b'file\tage\n"a.jpg\t3\n')
    assert [row for _, row in rows(path, {"file"}, "", tabs=True)] == [{"file": '"a.jpg', "age": "3"}]


def test_the_mark_that_spreadsheets_write_first_is_no_letter(tmp_path: Path) -> None:
    path = table(tmp_path, b"\xef\xbb\xbffile,age\r\na.jpg,3\r\n")
    assert [row["file"] for _, row in rows(path, {"file"}, "")] == ["a.jpg"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty: mend it"),
        (b"\n\n", "is empty: mend it"),
        (b"file;age\na.jpg;3\n", "has no column age, file: separate its columns by commas"),
        (b"file,gender\n", "has no column age:"),
        (b"file,age\na.jpg\n", "line 2: its columns"),
        (b"file,age\na.jpg,3,4\n", "line 2: its columns"),
        (b"file,age\na,3\n\xe9,3\n", "line 3: byte 0xe9 is not UTF-8"),
        (b"\xff\xfef\0i\0", "line 1: byte 0xff is not UTF-8"),
        (b"file,age\na,3\nb\0.jpg,3\n", "line 3: byte 0x00 is not UTF-8"),
        (b'file,age\na,3\nb,"4\nc,5\nd,6\n', "line 3: unexpected end of data: is a quotation mark missing here"),
        (b'file,age\n"a,3\nb,4\n"c,5\n', "line 2: ',' expected after '\"'"),
        (b"file,age\na,3\nb," + 140_000 * b"4" + b"\n", "line 3: field larger than field limit"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal(table(tmp_path, content))


def test_what_to_do_about_a_missing_table_is_said(tmp_path: Path) -> None:
    assert refusal(tmp_path / "labels.csv").endswith("(No such file or directory): mend it")
