"""Shares of faces with their standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Share:
    """`hits` out of `faces`. Without faces, `value` and `error` are None."""

    hits: int
    faces: int

    @classmethod
    def of(cls, hits: NDArray[np.bool_]) -> Share:
        """Counts the true values of `(n,)` booleans, one for each face."""
        return cls(int(hits.sum()), len(hits))

    @property
    def value(self) -> float | None:
        """The share, 0…1."""
        return self.hits / self.faces if self.faces else None

    @property
    def error(self) -> float | None:
        """One standard error of the share, 0…1.

        Two hits and two misses are added (Agresti and Coull, "Approximate Is Better than 'Exact' for Interval
        Estimation of Binomial Proportions", 1998). The plain formula would call a share of 0 out of 10 certain.
        """
        if not self.faces:
            return None
        faces = self.faces + 4
        share = (self.hits + 2) / faces
        return float((share * (1 - share) / faces) ** 0.5)

    def to_dict(self) -> dict[str, Any]:
        """Returns `{"share": …, "error": …, "faces": …}`, ready for JSON."""
        return {"share": rounded(self.value), "error": rounded(self.error), "faces": self.faces}


@dataclass(frozen=True)
class MeanShare:
    """The mean of several shares, each with the same weight, whatever its number of faces."""

    value: float | None
    """0…1; None if no share has faces."""
    error: float | None
    """One standard error."""
    cells: int
    """Number of shares."""

    @classmethod
    def of(cls, shares: Sequence[Share]) -> MeanShare:
        """Returns the mean of the shares that have faces."""
        values = [share.value for share in shares if share.value is not None]
        errors = [share.error for share in shares if share.error is not None]
        if not values:
            return cls(None, None, 0)
        return cls(float(np.mean(values)), float(np.linalg.norm(errors)) / len(errors), len(values))

    def to_dict(self) -> dict[str, Any]:
        """Returns `{"share": …, "error": …, "cells": …}`, ready for JSON."""
        return {"share": rounded(self.value), "error": rounded(self.error), "cells": self.cells}


def rounded(value: float | None) -> float | None:
    """Rounds a figure to the four digits that reports keep; None stays None."""
    return None if value is None else round(value, 4)
