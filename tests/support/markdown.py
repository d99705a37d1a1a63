"""Reads tables of Markdown pages, so that tests can compare their numbers with files."""

from __future__ import annotations

import re


def rows(text: str) -> dict[str, list[list[float]]]:
    """The numbers in the cells of each table row, by the row's first cell without its marks (`*` and backquotes).

    A name that several tables have comes with the numbers of each.
    """
    found: dict[str, list[list[float]]] = {}
    for line in text.splitlines():
        if line.startswith("| "):
            first, *cells = line.strip("| ").split(" | ")
            name = re.sub(r"[*`]", "", first).strip()
            found.setdefault(name, []).append(numbers(" | ".join(cells)))
    return found


def numbers(text: str) -> list[float]:
    """Every number in a text, in order. `1,521` is one number."""
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
