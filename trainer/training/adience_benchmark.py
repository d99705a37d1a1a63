"""Runs the Adience benchmark by one of two protocols, which must not be confused.

`paper` is a random split: a random fifth of the faces is for testing. Photographs of one person, often of one
afternoon, are on both sides, so the result also measures how well faces are remembered. The paper's figures are of this
kind.

`folds` are subject-exclusive: the data set's own five folds, with no person in two of them. Each fold is tested once by
a network trained on the other four. The literature reports mean and standard deviation of the five since Levi and
Hassner (2015).

In both, nothing is chosen on the test faces: the network of the last epoch is used. Results are written when a run
ends. A run with results for the same faces and recipe is not repeated, so its network need not be kept.
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
"""One of this many faces is for testing in the random split."""

_SEED = 2021
"""The seed of the random split, the same for every row."""


class BenchmarkError(KioskError):
    """The benchmark cannot be run with this input."""


@dataclass(frozen=True)
class Row:
    """One row of a table: a recipe and its initial network."""

    name: str
    title: str
    recipe: Recipe
    from_run: bool = False
    """Whether it starts from another run's network."""


# The paper states no precision; bfloat16 nearly halves the time on a CPU.
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

# Published results, as printed: gender, exact group, within one group, in per cent; epochs.
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
    """The result of one run."""

    row: str
    part: str
    """`random split`, or the test fold."""

    trained_on: int
    tested_on_gender: int
    tested_on_age: int
    gender: float | None
    age: float | None
    age_within_one: float | None
    epochs: int
    recipe: Recipe
    faces: str
    """`Faces.fingerprint` of the faces with their splits."""

    begun_with: str
    """The data sets and the checkpoint's SHA-256 of the run from which it started; or empty."""

    curve: Sequence[Mapping[str, Any]]
    """The log line of every epoch."""


def run(
    root: Path,
    out: Path,
    protocol: Protocol,
    names: Sequence[str] = (),
    start_from: Path | None = None,
    workers: int | None = None,
) -> str:
    """Runs what is missing in `out`, then writes and returns the table. Raises `KioskError`.

    `names` selects rows, by default all. `start_from` adds a row that starts from that run's network.
    """
    folder = _prepared(root, out, workers)
    data = prepared.load(folder)
    if data.dataset != "Adience":
        raise BenchmarkError(f"{root} contains {data.dataset}: this benchmark needs Adience")
    if start_from and "Adience" in load_settings(start_from).dataset:
        raise BenchmarkError(f"{start_from} was trained on Adience: it may know the test faces")
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
    """Yields the name of each part of a protocol and the faces with its split. Raises `BenchmarkError`."""
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
            raise BenchmarkError(f"{label.subject} is in folds {owners[label.subject]} and {label.fold}")
    for fold in folds:
        yield f"fold {fold}", _split(data, [label.fold == fold for label in data.labels])


def table(out: Path, protocol: Protocol) -> str:
    """Returns the Markdown table of the results in `out`, with published results."""
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
    """Trains and tests one network, unless its result exists."""
    name = f"{row.name}-{part.replace(' ', '-')}"
    path = out / f"{name}.json"
    begun_with = _described(start_from) if start_from else ""
    if path.exists():
        result = _read(path)
        if (result.recipe, result.faces, result.begun_with) == (row.recipe, faces.fingerprint, begun_with):
            return
        raise BenchmarkError(
            f"{path} has other faces, another recipe or another initial network: move it away or use another --out"
        )
    run = out / "runs" / name
    accuracy = train_on(
        faces,
        [folder],
        run,
        row.recipe,
        resume=(run / SETTINGS).exists(),
        start_from=start_from,
        resume_hint="the same command",
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
    """Returns a description of the initial network, independent of its path."""
    load_network(run)  # raises a clear error for a run without a network
    return f"{load_settings(run).dataset}, {hashlib.sha256((run / CHECKPOINT).read_bytes()).hexdigest()}"


def _read(path: Path) -> Result:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Result(**{**values, "recipe": Recipe.from_dict(values["recipe"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BenchmarkError(f"{path} is not a result of `trainer benchmark` ({error}): delete it") from error


def _prepared(root: Path, out: Path, workers: int | None) -> Path:
    """Returns the prepared folder: `root` itself, or a new one made from Adience as distributed."""
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
