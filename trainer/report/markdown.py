"""Tables and words in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """The first columns, `words` of them, are words, and all others numbers."""
    lines = [head, [":--"] * words + ["--:"] * (len(head) - words), *rows]
    return "\n".join(f"| {' | '.join(map(escaped, line))} |" for line in lines)


def escaped(text: str) -> str:
    """A data set's or a file's own words may hold what Markdown takes for its own."""
    return "".join(f"\\{letter}" if letter in r"\|*_`<[" else letter for letter in " ".join(text.split()))
