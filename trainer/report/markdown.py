"""Writes Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Returns a table. The first `words` columns are aligned left, as text; the others right, as numbers."""
    lines = [head, [":--"] * words + ["--:"] * (len(head) - words), *rows]
    return "\n".join(f"| {' | '.join(map(escape, line))} |" for line in lines)


def escape(text: str) -> str:
    """Returns text with Markdown's special characters escape, on one line."""
    return "".join(f"\\{letter}" if letter in r"\|*_`<[" else letter for letter in " ".join(text.split()))
