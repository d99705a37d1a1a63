"""Prepares a data set: crops its faces with the kiosk's own code, removes duplicates and writes a report.

A photograph without a detected face is dropped, as in the paper. An unreadable one is counted and named. Neither stops
the run. After anything else that stops it (Ctrl-C, a full disk, a killed worker), the same command continues.
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
"""Reasons to drop an image, besides the data set's own."""

_PART_SIZE = 64  # images; an interruption loses at most this many for each core
_MOST_NAMES = 100  # in the summary
_MOST_SAID = 10  # on the screen
_LONGEST_SAID = 100  # characters of a name on the screen


class PrepareError(KioskError):
    """The data set could not be prepared."""


@dataclass(frozen=True)
class Report:
    """The result of preparing a data set."""

    kept: int
    dropped: Mapping[str, int]
    """The number of dropped images by reason."""

    unreadable: tuple[str, ...]
    """The first 100 unreadable files."""

    disagreeing: int
    """The number of dropped duplicates whose gender or age contradicts the face that was kept."""

    splits: Mapping[str, int]
    already_prepared: bool
    """Whether the folder was already complete."""

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
    """Prepares the labelled images under `root` into the folder `out`, with `workers` processes.

    By default there is one process per core. Continues an interrupted run of the same data, does nothing for a finished
    one, and refuses a folder of another data set. Raises `PrepareError`, `CropError` and `PreparedDataError`.
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
            f"{error.filename or out} cannot be read or written ({error.strerror}): correct that and {again}"
        ) from error


def _prepare(dataset: DataSet, root: Path, out: Path, workers: int | None) -> Report:
    fingerprint = _fingerprint(dataset, root)
    with partial_results.lock_folder(out):
        facts = _facts_if_finished(dataset, out, fingerprint)
        already = facts is not None
        if facts is None:
            cut = ResumeCache(out, fingerprint)
            _cut_missing(dataset, root, cut, workers)
            facts = _assemble(dataset, root, out, cut, fingerprint)
        # The parts are removed last: while they exist, the report may be outdated.
        prepare_report.write(out, rewrite=not already or partial_results.has_parts(out))
        partial_results.remove(out)
    return Report(
        kept=facts["kept"],
        dropped=facts["dropped"],
        unreadable=tuple(facts["unreadable"]),
        disagreeing=facts["duplicates"]["disagreeing"],
        splits=facts["splits"],
        already_prepared=already,
    )


def _fingerprint(dataset: DataSet, root: Path) -> str:
    """Returns a hash of everything that determines a prepared folder: labels, images, crop version, libraries."""
    digest = hashlib.sha256()
    facts = (dataset.name, dataset.source, dataset.groups, dict(dataset.left_out), str(root.resolve()))
    digest.update(repr((facts, _PART_SIZE, MARGIN, CROP_VERSION, cv2.__version__, dlib.__version__)).encode())
    for label in dataset.labels:
        digest.update(repr((label, _state(root / label.file))).encode())
    return digest.hexdigest()


def _state(path: Path) -> tuple[int, int] | None:
    """Returns size and modification time of a file. Reading every image to detect changes would take too long."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _facts_if_finished(dataset: DataSet, out: Path, fingerprint: str) -> dict[str, Any] | None:
    """Returns the summary of a finished folder with this fingerprint, else None.

    Raises `PrepareError` for another data set.
    """
    try:
        there = prepared.load(out).dataset
        facts: dict[str, Any] = json.loads((out / prepared.SUMMARY).read_text(encoding="utf-8"))
    except prepared.PreparedDataError:
        return None
    if there != dataset.name:
        raise PrepareError(f"{out} holds {there} already: choose another folder for {dataset.name}")
    if "crop_version" not in facts:
        return facts if _is_of_version_0_2(facts, dataset) else None
    return facts if facts.get("plan") == fingerprint else None


def _is_of_version_0_2(facts: dict[str, Any], dataset: DataSet) -> bool:
    """Whether a summary of version 0.2.0 or older describes this data set.

    Those versions made the fingerprint from the source text of the program, so it cannot be compared. They all crop
    like crop version 1: the folder is used as long as the data set has the same number of images.
    """
    pictures = len(dataset.labels) + sum(map(len, dataset.left_out.values()))
    return CROP_VERSION == 1 and (facts.get("source"), facts.get("pictures")) == (dataset.source, pictures)


def _batches(dataset: DataSet) -> dict[int, tuple[FaceLabel, ...]]:
    """Returns the labels in the batches that are processed and stored together."""
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

        crop.crop_all(missing, workers, take)


def _assemble(dataset: DataSet, root: Path, out: Path, cut: ResumeCache, fingerprint: str) -> dict[str, Any]:
    """Writes the prepared folder without duplicates from all parts; returns its summary."""
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
    twins = duplicates.find_duplicates(crops, digests, found)
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
        "plan": fingerprint,
    }
    prepared.save(out, dataset=dataset.name, groups=dataset.groups, crops=crops[twins.kept], labels=kept, summary=facts)
    return facts


def _faces(
    dataset: DataSet, cut: ResumeCache
) -> tuple[list[FaceLabel], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns n faces' labels, (n, 32) digests and (n, 99, 99) crops, and the (images,) outcomes of all images."""
    labels: list[FaceLabel] = []
    outcomes, digests = [], []
    # Memory that is not written to is not allocated, so this costs only what the faces need.
    crops = np.empty((len(dataset.labels), STORED_SIZE, STORED_SIZE), np.uint8)
    for number, batch in _batches(dataset).items():
        part = cut.read(number)
        if part is None:
            raise PrepareError("a partial result is damaged: run the same command again to crop its images again")
        with_face = np.flatnonzero(part.outcomes == Outcome.FACE)
        crops[len(labels) : len(labels) + len(with_face)] = part.crops
        labels.extend(batch[index] for index in with_face)
        digests.append(part.digests[with_face])
        outcomes.append(part.outcomes)
    return labels, np.concatenate(digests), crops[: len(labels)], np.concatenate(outcomes)
