"""Drawing with Matplotlib what holds a data set's own words, whatever they are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib


@contextmanager
def any_words(style: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Figures that are made and saved in the block have this style, and their texts are taken to the letter."""
    settings: Any = {**(style or {}), "text.parse_math": False}  # a dollar begins no formula
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # Words may be in a script that the font lacks; a box in their place is no failure.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
