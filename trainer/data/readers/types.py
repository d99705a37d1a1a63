"""What a reader makes of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.common.errors import KioskError
from kiosk.estimate import AgeGroup
from trainer.data.labels import FaceLabel


class DataSetError(KioskError):
    """A folder or a label file that is not the data set's."""


@dataclass(frozen=True)
class DataSet:
    """The labelled pictures of a data set, in its own order."""

    name: str
    source: str
    """Who made it, and what its licence allows."""

    groups: tuple[AgeGroup, ...]
    """The age groups that its labels are made of, or fit best."""

    labels: tuple[FaceLabel, ...]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Pictures that have no usable label: the reason → their files."""
