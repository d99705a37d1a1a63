"""Photographs → aligned chips, by the kiosk's own detector and aligner, on all cores.

A photograph in which no face is found is dropped, as the paper drops its "undetected faces"; one
that cannot be read is counted and named. Neither stops the run.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kiosk.errors import KioskError
from kiosk.vision.faces import FaceFinder, align
from trainer import fairface, prepared
from trainer.prepared import MARGIN, FaceLabel

Chip = NDArray[np.uint8]


@dataclass(frozen=True)
class Report:
    """What became of the photographs."""

    kept: int
    no_face: int
    unreadable: tuple[str, ...]


def prepare_fairface(root: Path, out: Path, workers: int | None = None) -> Report:
    """Prepares FairFace's labelled faces under `root` into the folder `out`."""
    labels = fairface.read_labels(root)
    results = _cut_all([root / label.file for label in labels], workers)
    chips: list[Chip] = []
    kept: list[FaceLabel] = []
    unreadable: list[str] = []
    for label, result in zip(labels, results, strict=True):
        if isinstance(result, str):
            if result == _UNREADABLE:
                unreadable.append(label.file)
        else:
            chips.append(result)
            kept.append(label)
    if not kept:
        raise KioskError(f"no face was found in any of the {len(labels)} pictures under {root}")
    report = Report(len(kept), len(labels) - len(kept) - len(unreadable), tuple(unreadable))
    prepared.save(
        out,
        dataset="FairFace",
        groups=fairface.GROUPS,
        gender_labels=("female", "male"),
        chips=np.stack(chips),
        labels=kept,
        summary={
            "kept": report.kept,
            "dropped": {"no face found": report.no_face, "unreadable": len(unreadable)},
            "unreadable": unreadable,
            "splits": dict(Counter(label.split for label in kept)),
        },
    )
    return report


_NO_FACE, _UNREADABLE = "no face", "unreadable"

_finder: FaceFinder | None = None


def _cut_all(paths: Sequence[Path], workers: int | None) -> list[Chip | str]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers or os.cpu_count(), initializer=_start_worker) as pool:
        progress = tqdm(pool.imap(_cut, paths, chunksize=32), total=len(paths), desc="faces", unit="picture")
        return list(progress)


def _start_worker() -> None:
    global _finder
    _finder = FaceFinder()
    cv2.setNumThreads(1)  # every worker has a core of its own


def _cut(path: Path) -> Chip | str:
    assert _finder is not None
    gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if gray is None:
        return _UNREADABLE
    picture = np.asarray(gray, dtype=np.uint8)
    faces = _finder.detect_in_still(picture)
    return align(picture, faces[0], MARGIN) if faces else _NO_FACE
