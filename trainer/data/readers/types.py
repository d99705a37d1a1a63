"""The result of reading a data set's labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.common.errors import KioskError
from kiosk.estimate import AgeGroup
from trainer.data.labels import FaceLabel


class DataSetError(KioskError):
    """A folder or label file is not that of the data set, or is damaged."""


@dataclass(frozen=True)
class DataSet:
    """The labelled images of a data set, in its own order."""

    name: str
    source: str
    """Its authors and licence."""

    groups: tuple[AgeGroup, ...]
    """The age groups of its labels, or those that fit best."""

    labels: tuple[FaceLabel, ...]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The files of images without a usable label, by reason."""
