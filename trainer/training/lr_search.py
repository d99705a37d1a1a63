"""The paper's search for the initial learning rate, on a part of the data.

Each learning rate trains one short run from the same initial weights on the same faces. The best one has the lowest
validation loss. A run that diverged has no loss and stays in the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kiosk.common.atomic_files import replace_file
from trainer.data.faces import Faces
from trainer.data.prepared import PreparedDataError
from trainer.training.recipe import Recipe
from trainer.training.run_folder import SETTINGS
from trainer.training.train import DivergedError, train_on

RATES = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
"""The paper's range, with both learning rates that it states."""


@dataclass(frozen=True)
class Trial:
    """The result of one learning rate."""

    rate: float
    gender: float | None
    age: float | None
    loss: float | None
    """The validation loss of both heads; None if training diverged."""

    def __str__(self) -> str:
        if self.loss is None:
            return f"rate {self.rate:g}: diverged"
        known = [(name, share) for name, share in (("gender", self.gender), ("age", self.age)) if share is not None]
        return ", ".join(
            [f"rate {self.rate:g}: loss {self.loss:.3f}", *(f"{name} {share:.1%}" for name, share in known)]
        )


def search(folder: Path, out: Path, recipe: Recipe, share: float, epochs: int) -> Iterator[Trial]:
    """Yields each finished trial, then writes `rates.json` and `rates.png` to `out`.

    Raises `RunError` and `PreparedDataError`.
    """
    faces = subset_of(Faces.load([folder]), share, recipe.seed)
    trials = []
    for rate in RATES:
        run = out / "runs" / f"{rate:g}"
        # The schedule must not change the rate during the trial: plateau waits ten epochs.
        tried = replace(recipe, lr=rate, epochs=epochs)
        begun = (run / SETTINGS).exists()
        try:
            accuracy = train_on(faces, [folder], run, tried, resume=begun, resume_hint="the same command")
            losses = [loss for loss in (accuracy.gender_loss, accuracy.age_loss) if loss is not None]
            trials.append(Trial(rate, accuracy.gender, accuracy.age, round(sum(losses), 4)))
        except DivergedError:
            trials.append(Trial(rate, None, None, None))
        yield trials[-1]
    found = best(trials)
    facts = {
        "share": share,
        "epochs": epochs,
        "recipe": recipe.to_dict(),
        "trials": [asdict(trial) for trial in trials],
        "best": found.rate if found else None,
    }
    with replace_file(out / "rates.json") as path:
        path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    _plot(trials, out / "rates.png")


def best(trials: list[Trial]) -> Trial | None:
    """Returns the trial with the lowest loss; None if all diverged."""
    return min((trial for trial in trials if trial.loss is not None), key=lambda trial: trial.loss or 0, default=None)


def subset_of(faces: Faces, share: float, seed: int) -> Faces:
    """Returns the data set with only a random share of its training faces."""
    [data] = faces.sets
    rows = faces.rows("train")
    kept = np.random.default_rng(seed).permutation(rows)[: max(1, round(share * len(rows)))]
    rows = np.sort(np.concatenate([kept, faces.rows("calibration"), faces.rows("test")]))
    if not len(rows):
        raise PreparedDataError(f"{data.dataset} has no faces")
    return Faces([replace(data, crops=data.crops[rows], labels=tuple(data.labels[row] for row in rows))])


def _percent(share: float | None) -> float:
    return np.nan if share is None else 100 * share


def _plot(trials: list[Trial], path: Path) -> None:
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    rates = [trial.rate for trial in trials]
    for name, color in (("gender", "#2a6f97"), ("age", "#e07a2f")):
        axes.plot(rates, [_percent(getattr(trial, name)) for trial in trials], "o-", color=color, label=name)
    axes.set(xscale="log", xlabel="initial learning rate", ylabel="validation accuracy, %", ylim=(0, 100))
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    loss = axes.twinx()
    loss.plot(rates, [trial.loss if trial.loss is not None else np.nan for trial in trials], "s--", color="#777")
    loss.set_ylabel("validation loss (dashed)")
    loss.spines[["top"]].set_visible(False)
    axes.legend(frameon=False)
    with replace_file(path) as temporary:
        figure.savefig(temporary, dpi=130)
