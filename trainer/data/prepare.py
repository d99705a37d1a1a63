"""Photographs → a prepared folder: crops cut by the kiosk's own code, duplicates removed, a report.

A photograph in which no face is found is dropped, as the paper drops its "undetected faces"; one
that cannot be read is counted and named. Neither stops the run. Whatever else does (Ctrl-C, a full
disk, a killed worker) keeps what was cut so far, and the same command goes on from there.
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kiosk.common.errors import KioskError
from kiosk.vision.faces.alignment import CROP_VERSION
from trainer.data import crop, duplicates, partial_results, prepare_report, prepared
from trainer.data.labels import FaceLabel, Split
from trainer.data.partial_results import Outcome, Part, ResumeCache
from trainer.data.prepared import MARGIN, STORED_SIZE
from trainer.data.readers.types import DataSet

NO_FACE, UNREADABLE, EXACT, NEAR = "no face found", "unreadable", "exact duplicate", "near duplicate"
"""Why a picture is dropped, beside the data set's own reasons."""

_PART_SIZE = 64  # pictures: what an interruption can lose on each core
_MOST_NAMES = 100  # in the summary
_MOST_SAID = 10  # on the screen
_LONGEST_SAID = 100  # letters of a name, likewise


class PrepareError(KioskError):
    """Preparing could not be finished."""


@dataclass(frozen=True)
class Report:
    """What became of the photographs."""

    kept: int
    dropped: Mapping[str, int]
    """The reason → how many."""

    unreadable: tuple[str, ...]
    """The first 100 files that cannot be read as pictures."""

    disagreeing: int
    """Dropped duplicates that had another gender or age than the face kept instead."""

    splits: Mapping[str, int]
    already_prepared: bool
    """Whether the folder was complete before, and nothing had to be done."""

    def __str__(self) -> str:
        splits = ", ".join(f"{number:,} {split}" for split, number in self.splits.items())
        dropped = [f"{number:,} {reason}" for reason, number in self.dropped.items() if number]
        lines = [f"{'already prepared: ' if self.already_prepared else ''}{self.kept:,} faces ({splits})"]
        if dropped:
            lines.append(f"dropped: {', '.join(dropped)}")
        if self.unreadable:
            said = [_shortened(name) for name in self.unreadable[:_MOST_SAID]]
            more = self.dropped[UNREADABLE] - len(said)
            lines.append(f"unreadable: {', '.join(said)}{f' and {more:,} more' if more else ''}")
        return "\n".join(lines)


def _shortened(name: str) -> str:
    half = _LONGEST_SAID // 2
    return name if len(name) <= _LONGEST_SAID else f"{name[:half]}…{name[-half:]}"


def prepare(dataset: DataSet, root: Path, out: Path, workers: int | None = None) -> Report:
    """Prepares the labelled pictures under `root` into the folder `out`, on `workers` cores (by default all).

    Goes on where an earlier run of the same data was interrupted, does nothing where one was finished,
    and refuses where that was of another data set. Raises `PrepareError`, `CuttingError` and `PreparedDataError`.
    """
    again = "run the same command again to continue"
    try:
        return _prepare(dataset, root, out, workers)
    except KeyboardInterrupt:
        raise PrepareError(f"stopped: {again}") from None
    except BlockingIOError:
        raise PrepareError(f"another `trainer prepare` is working on {out}: wait for it") from None
    except OSError as error:
        # numpy has no error number for an array that did not fit on the disk.
        if error.errno in {errno.ENOSPC, errno.EDQUOT, None}:
            raise PrepareError(f"the disk that holds {out} is full: make room and {again}") from error
        raise PrepareError(
            f"{error.filename or out} cannot be read or written ({error.strerror}): mend it and {again}"
        ) from error


def _prepare(dataset: DataSet, root: Path, out: Path, workers: int | None) -> Report:
    plan = _plan_of(dataset, root)
    with partial_results.held(out):
        facts = _facts_if_finished(dataset, out, plan)
        already = facts is not None
        if facts is None:
            cut = ResumeCache(out, plan)
            _cut_missing(dataset, root, cut, workers)
            facts = _assemble(dataset, root, out, cut, plan)
        # The parts go last: while there are some, the report may be that of an earlier plan.
        prepare_report.write(out, anew=not already or partial_results.left_in(out))
        partial_results.remove(out)
    return Report(
        kept=facts["kept"],
        dropped=facts["dropped"],
        unreadable=tuple(facts["unreadable"]),
        disagreeing=facts["duplicates"]["disagreeing"],
        splits=facts["splits"],
        already_prepared=already,
    )


def _plan_of(dataset: DataSet, root: Path) -> str:
    """A fingerprint of all that decides what a prepared folder holds: labels, pictures, crop version, libraries."""
    digest = hashlib.sha256()
    facts = (dataset.name, dataset.source, dataset.groups, dict(dataset.left_out), str(root.resolve()))
    digest.update(repr((facts, _PART_SIZE, MARGIN, CROP_VERSION, cv2.__version__, dlib.__version__)).encode())
    for label in dataset.labels:
        digest.update(repr((label, _state(root / label.file))).encode())
    return digest.hexdigest()


def _state(path: Path) -> tuple[int, int] | None:
    """Size and time of change: reading every picture only to see whether it changed would take too long."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _facts_if_finished(dataset: DataSet, out: Path, plan: str) -> dict[str, Any] | None:
    """The summary of a finished folder of this plan. Raises `PrepareError` for one of another data set."""
    try:
        there = prepared.load(out).dataset
        facts: dict[str, Any] = json.loads((out / prepared.SUMMARY).read_text(encoding="utf-8"))
    except prepared.PreparedDataError:
        return None
    if there != dataset.name:
        raise PrepareError(f"{out} holds {there} already: choose another folder for {dataset.name}")
    if "crop_version" not in facts:
        return facts if _is_of_version_0_2(facts, dataset) else None
    return facts if facts.get("plan") == plan else None


def _is_of_version_0_2(facts: dict[str, Any], dataset: DataSet) -> bool:
    """Whether a summary of version 0.2.0 or older describes this data set.

    Those versions made the fingerprint from the source text of the program, so it cannot be compared. They all cut
    the faces as crop version 1 does: the folder is used as long as the data set has the same number of pictures.
    """
    pictures = len(dataset.labels) + sum(map(len, dataset.left_out.values()))
    return CROP_VERSION == 1 and (facts.get("source"), facts.get("pictures")) == (dataset.source, pictures)


def _batches(dataset: DataSet) -> dict[int, tuple[FaceLabel, ...]]:
    """The labels in the portions that are cut and kept together."""
    starts = range(0, len(dataset.labels), _PART_SIZE)
    return {number: dataset.labels[start : start + _PART_SIZE] for number, start in enumerate(starts)}


def _cut_missing(dataset: DataSet, root: Path, cut: ResumeCache, workers: int | None) -> None:
    batches = _batches(dataset)
    missing = {
        number: [root / label.file for label in batch]
        for number, batch in batches.items()
        if number not in cut or cut.read(number) is None
    }
    if not missing:
        return
    done = len(dataset.labels) - sum(map(len, missing.values()))
    with tqdm(total=len(dataset.labels), initial=done, desc=dataset.name, unit="picture", mininterval=0.5) as bar:

        def take(number: int, part: Part) -> None:
            cut.write(number, part)
            bar.update(len(part.outcomes))

        crop.cut_all(missing, workers, take)


def _assemble(dataset: DataSet, root: Path, out: Path, cut: ResumeCache, plan: str) -> dict[str, Any]:
    """All parts → the prepared folder without duplicates; the summary that was saved with it."""
    found, digests, crops, outcomes = _faces(dataset, cut)
    unreadable = [
        label.file for label, outcome in zip(dataset.labels, outcomes, strict=True) if outcome == Outcome.UNREADABLE
    ]
    if not found:
        partial_results.remove(out)
        if len(unreadable) == len(dataset.labels):
            raise PrepareError(
                f"none of the {len(unreadable)} pictures that the labels name can be read under {root}, "
                f"{_shortened(unreadable[0])} for one: is ROOT the right folder, and all of it unpacked?"
            )
        raise PrepareError(
            f"no face was found in any of the {len(dataset.labels)} pictures under {root}: "
            "they have to show faces of 40 pixels and more, seen from the front"
        )
    twins = duplicates.find(crops, digests, found)
    kept = [found[index] for index in np.flatnonzero(twins.kept)]
    facts = {
        "source": dataset.source,
        "pictures": len(dataset.labels) + sum(map(len, dataset.left_out.values())),
        "kept": len(kept),
        "dropped": {
            **{reason: len(files) for reason, files in dataset.left_out.items()},
            UNREADABLE: len(unreadable),
            NO_FACE: int(np.count_nonzero(outcomes == Outcome.NO_FACE)),
            EXACT: twins.exact,
            NEAR: twins.near,
        },
        "duplicates": {"exact": twins.exact, "near": twins.near, "disagreeing": twins.disagreeing},
        "splits": {split: sum(label.split == split for label in kept) for split in get_args(Split)},
        "unreadable": unreadable[:_MOST_NAMES],
        "left_out": {reason: files[:_MOST_NAMES] for reason, files in dataset.left_out.items()},
        "crop_version": CROP_VERSION,
        "plan": plan,
    }
    prepared.save(out, dataset=dataset.name, groups=dataset.groups, crops=crops[twins.kept], labels=kept, summary=facts)
    return facts


def _faces(
    dataset: DataSet, cut: ResumeCache
) -> tuple[list[FaceLabel], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """The n faces' labels, (n, 32) digests and (n, 99, 99) crops, and (pictures,) the outcomes of all."""
    labels: list[FaceLabel] = []
    outcomes, digests = [], []
    # Memory that is never written to is never taken, so this costs what the faces need.
    crops = np.empty((len(dataset.labels), STORED_SIZE, STORED_SIZE), np.uint8)
    for number, batch in _batches(dataset).items():
        part = cut.read(number)
        if part is None:
            raise PrepareError("a file came back from the disk damaged: run the same command again to cut it anew")
        with_face = np.flatnonzero(part.outcomes == Outcome.FACE)
        crops[len(labels) : len(labels) + len(with_face)] = part.crops
        labels.extend(batch[index] for index in with_face)
        digests.append(part.digests[with_face])
        outcomes.append(part.outcomes)
    return labels, np.concatenate(digests), crops[: len(labels)], np.concatenate(outcomes)
