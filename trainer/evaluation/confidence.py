"""How many of how many, and how far that may be from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Share:
    """`hits` of `faces`. Of no faces there is no share: `value` and `error` are None."""

    hits: int
    faces: int

    @classmethod
    def of(cls, hits: NDArray[np.bool_]) -> Share:
        """(n,) whether each face is one."""
        return cls(int(hits.sum()), len(hits))

    @property
    def value(self) -> float | None:
        """0…1."""
        return self.hits / self.faces if self.faces else None

    @property
    def error(self) -> float | None:
        """One standard error.

        With two hits and two misses added (Agresti and Coull, "Approximate Is Better than 'Exact' for
        Interval Estimation of Binomial Proportions", 1998): none of ten is no proof of none at all,
        which the plain formula would call certain.
        """
        if not self.faces:
            return None
        faces = self.faces + 4
        share = (self.hits + 2) / faces
        return float((share * (1 - share) / faces) ** 0.5)

    def to_dict(self) -> dict[str, Any]:
        """`{"share": …, "error": …, "faces": …}`, ready for JSON."""
        return {"share": rounded(self.value), "error": rounded(self.error), "faces": self.faces}


@dataclass(frozen=True)
class Averaged:
    """The mean of several shares, each counting the same however few faces it is of."""

    value: float | None
    error: float | None
    """One standard error."""
    cells: int
    """How many shares."""

    @classmethod
    def of(cls, shares: Sequence[Share]) -> Averaged:
        """The mean of those shares that are of any faces."""
        values = [share.value for share in shares if share.value is not None]
        errors = [share.error for share in shares if share.error is not None]
        if not values:
            return cls(None, None, 0)
        return cls(float(np.mean(values)), float(np.linalg.norm(errors)) / len(errors), len(values))

    def to_dict(self) -> dict[str, Any]:
        """`{"share": …, "error": …, "cells": …}`, ready for JSON."""
        return {"share": rounded(self.value), "error": rounded(self.error), "cells": self.cells}


def rounded(value: float | None) -> float | None:
    """To the four digits that are kept of every figure."""
    return None if value is None else round(value, 4)
