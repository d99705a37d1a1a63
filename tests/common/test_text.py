"""Text from outside is safe to print on a terminal."""

from __future__ import annotations

import pytest

from kiosk.common.text import escape_unprintable


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("Wasser 水 0,5 l", "Wasser 水 0,5 l"),
        ("\x1b[2J", "\\x1b[2J"),
        ("two\nlines", "two\\nlines"),
        ("\u202egnp", "\\u202egnp"),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_characters_are_escaped(text: str, escaped: str) -> None:
    assert escape_unprintable(text) == escaped


def test_characters_to_keep_stay() -> None:
    assert escape_unprintable("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"
