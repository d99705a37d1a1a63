"""The Adience benchmark, under two protocols that must not be confused.

`paper`, a random split: a fifth of the faces, drawn at random, is tested on. Photographs of one person,
often of one afternoon, stand on both sides of it, so it says how well faces are remembered as much as
how well they are read. It is how the paper's figures have to be understood.

`folds`, subject-exclusive folds: the data set's own five folds, no person in two of them; each is tested
on once, by a network that learnt from the other four. Mean and standard deviation of the five are what
the literature reports since Levi and Hassner (2015).

Under both, nothing is chosen by the faces that are tested on: every network is the last epoch's. A run's
figures are written when it ends, and a run whose figures are there, of the same faces and recipe, is not
done again: the networks need not be kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, pstdev
from typing import Any, Literal

import numpy as np

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from trainer.data import prepared, readers
from trainer.data.faces import Faces
from trainer.data.labels import FaceLabel, Split
from trainer.data.prepare import prepare
from trainer.data.prepared import PreparedData
from trainer.data.readers.adience import FOLDS
from trainer.training.recipe import DEFAULT, PAPER, Recipe
from trainer.training.run_folder import CHECKPOINT, LOG, SETTINGS, load_network, load_settings
from trainer.training.train import train_on

Protocol = Literal["paper", "folds"]

TESTED = 5
"""One face in so many is tested on in the random split."""

_SEED = 2021
"""Of the random split; any would do, but it must be the same for every row."""


class BenchmarkError(KioskError):
    """A benchmark that cannot be run on what was given."""


@dataclass(frozen=True)
class Row:
    """One row of a table: a recipe, and what it began with."""

    name: str
    title: str
    recipe: Recipe
    from_run: bool = False
    """Whether it begins with another run's network."""


# The paper says nothing of precision; bfloat16 nearly halves the time that a CPU needs.
_PAPER = replace(PAPER, mixed_precision=True)

ROWS: Mapping[Protocol, Sequence[Row]] = {
    "paper": (
        Row("paper-plain", "paper's recipe, no augmentation", replace(_PAPER, augmentation=None, epochs=16)),
        Row("paper-augmented", "paper's recipe, augmentation", replace(_PAPER, epochs=20)),
        Row("default", "our recipe", replace(DEFAULT, epochs=40)),
    ),
    "folds": (Row("default", "our recipe", replace(DEFAULT, epochs=18)),),
}

_FROM_RUN = Row("from-fairface", "our recipe, begun with a network trained on FairFace",
                replace(DEFAULT, epochs=5, lr=0.0005), from_run=True)  # fmt: skip

# What others report, as printed: gender, exact group, within one group, in per cent; epochs.
_PUBLISHED: Mapping[Protocol, Sequence[tuple[str, str, str, str, str]]] = {
    "paper": (
        ("FacialNet, the paper's Table 4, no augmentation", "88.6", "68.1", "–", "100"),
        ("FacialNet, the paper's Table 4, augmentation", "94.2 (90.3 in its text)", "72.8", "–", "100"),
        ("compared there, 1", "–", "54.1", "–", "–"),
        ("compared there, 2", "88.2", "–", "–", "–"),
        ("compared there, 3", "86.5", "60.2", "–", "–"),
        ("compared there, 4", "91.8", "87.0", "–", "–"),
    ),
    "folds": (
        ("Levi and Hassner (2015)", "86.8", "50.7", "84.7", "–"),
        ("MiVOLO (2023)", "96.5", "68.7", "–", "–"),
    ),
}


@dataclass(frozen=True)
class Result:
    """What one run came to."""

    row: str
    part: str
    """`random split`, or the fold that was tested on."""

    trained_on: int
    tested_on_gender: int
    tested_on_age: int
    gender: float | None
    age: float | None
    age_within_one: float | None
    epochs: int
    recipe: Recipe
    faces: str
    """`Faces.fingerprint` of the faces, as they were split."""

    begun_with: str
    """The data sets of the run with whose network it began, and the SHA-256 of that run's checkpoint; or empty."""

    curve: Sequence[Mapping[str, Any]]
    """The log's line of every epoch."""


def run(
    root: Path,
    out: Path,
    protocol: Protocol,
    names: Sequence[str] = (),
    start_from: Path | None = None,
    workers: int | None = None,
) -> str:
    """Runs what is not in `out` yet; writes and returns the table. Raises `KioskError` of many kinds.

    `names` choose rows; by default all. `start_from` adds a row that begins with that run's network.
    """
    folder = _prepared(root, out, workers)
    data = prepared.load(folder)
    if data.dataset != "Adience":
        raise BenchmarkError(f"{root} holds {data.dataset}: this benchmark is of Adience alone")
    if start_from and "Adience" in load_settings(start_from).dataset:
        raise BenchmarkError(f"{start_from} learnt from Adience already: it may know the faces that are tested on")
    rows = [*ROWS[protocol], *([_FROM_RUN] if start_from else [])]
    if unknown := set(names) - {row.name for row in rows}:
        raise BenchmarkError(
            f"no row {', '.join(sorted(unknown))}: there are {', '.join(row.name for row in rows)}"
            + ("" if start_from else f", and {_FROM_RUN.name} with --start-from")
        )
    for row in rows:
        if names and row.name not in names:
            continue
        for part, faces in parts_of(data, protocol):
            _run(row, part, faces, folder, out / protocol, start_from if row.from_run else None)
    text = table(out, protocol)
    with replace_file(out / f"{protocol}.md") as path:
        path.write_text(text + "\n", encoding="utf-8")
    return text


def parts_of(data: PreparedData, protocol: Protocol) -> Iterable[tuple[str, Faces]]:
    """The names of a protocol's parts, each with the faces split its way. Raises `BenchmarkError`."""
    if protocol == "paper":
        order = np.random.default_rng(_SEED).permutation(len(data.labels))
        tested = set(order[: len(order) // TESTED].tolist())
        yield "random split", _split(data, [index in tested for index in range(len(order))])
        return
    folds = sorted({label.fold for label in data.labels})
    if len(folds) < 2 or not all(folds):
        raise BenchmarkError(
            f"{data.dataset} has no folds: they come with Adience, prepared by `trainer prepare adience`"
        )
    owners: dict[str, str] = {}
    for label in data.labels:
        if owners.setdefault(label.subject, label.fold) != label.fold:
            raise BenchmarkError(f"{label.subject} stands in folds {owners[label.subject]} and {label.fold}")
    for fold in folds:
        yield f"fold {fold}", _split(data, [label.fold == fold for label in data.labels])


def table(out: Path, protocol: Protocol) -> str:
    """The Markdown table of what is in `out`, beside what others report."""
    name = {"paper": "random split", "folds": "subject-exclusive folds"}[protocol]
    lines = [f"| Adience, {name} | gender, % | age group, % | within one, % | epochs |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in _PUBLISHED[protocol]]
    for row in (*ROWS[protocol], _FROM_RUN):
        results = [_read(path) for path in sorted((out / protocol).glob(f"{row.name}*.json"))]
        results = [result for result in results if result.row == row.name]
        if results:
            figures = " | ".join(_figure(results, name) for name in ("gender", "age", "age_within_one"))
            done = "" if protocol == "paper" or len(results) == FOLDS else f", {len(results)} of {FOLDS} folds"
            lines.append(f"| **{row.title}{done}** | {figures} | {results[0].epochs} |")
    return "\n".join(lines)


def _figure(results: Sequence[Result], name: str) -> str:
    values = [100 * value for result in results if (value := getattr(result, name)) is not None]
    if not values:
        return "–"
    return f"{mean(values):.1f}" + (f" ± {pstdev(values):.1f}" if len(values) > 1 else "")


def _run(row: Row, part: str, faces: Faces, folder: Path, out: Path, start_from: Path | None) -> None:
    """Trains and tests one network, unless its figures are there."""
    name = f"{row.name}-{part.replace(' ', '-')}"
    path = out / f"{name}.json"
    begun_with = _described(start_from) if start_from else ""
    if path.exists():
        result = _read(path)
        if (result.recipe, result.faces, result.begun_with) == (row.recipe, faces.fingerprint, begun_with):
            return
        raise BenchmarkError(
            f"{path} comes from other faces, another recipe or another beginning: move it away, or choose another --out"
        )
    run = out / "runs" / name
    accuracy = train_on(
        faces,
        [folder],
        run,
        row.recipe,
        resume=(run / SETTINGS).exists(),
        start_from=start_from,
        again="the same command",
    )
    tested = faces.rows("test")
    result = Result(
        row=row.name,
        part=part,
        trained_on=len(faces.rows("train")),
        tested_on_gender=int((faces.genders[tested] >= 0).sum()),
        tested_on_age=int((faces.ages[tested] >= 0).sum()),
        gender=accuracy.gender,
        age=accuracy.age,
        age_within_one=accuracy.age_within_one,
        epochs=row.recipe.epochs,
        recipe=row.recipe,
        faces=faces.fingerprint,
        begun_with=begun_with,
        curve=[json.loads(line) for line in (run / LOG).read_text(encoding="utf-8").splitlines()],
    )
    with replace_file(path) as temporary:
        temporary.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")


def _described(run: Path) -> str:
    """Which network a row begins with, wherever its run lies."""
    load_network(run)  # so that a run without one is refused in its own words
    return f"{load_settings(run).dataset}, {hashlib.sha256((run / CHECKPOINT).read_bytes()).hexdigest()}"


def _read(path: Path) -> Result:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Result(**{**values, "recipe": Recipe.from_dict(values["recipe"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BenchmarkError(f"{path} is not a result of `trainer benchmark` ({error}): delete it") from error


def _prepared(root: Path, out: Path, workers: int | None) -> Path:
    """The prepared folder: `root` itself, or what is made of Adience as its authors ship it."""
    if (root / "prepared.json").exists():
        return root
    folder = out / "prepared"
    prepare(readers.read("adience", root), root, folder, workers)
    return folder


def _split(data: PreparedData, tested: Sequence[bool]) -> Faces:
    def label(old: FaceLabel, test: bool) -> FaceLabel:
        split: Split = "test" if test else "train"
        return replace(old, split=split)

    labels = tuple(label(old, test) for old, test in zip(data.labels, tested, strict=True))
    return Faces([replace(data, labels=labels)])
