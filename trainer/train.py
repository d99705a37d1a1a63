"""Trains FacialNet on prepared chips.

SGD with Nesterov momentum under one cycle of the learning rate (Smith and Topin, "Super-
Convergence", 2017), a running average of the weights, and targets that give a neighbouring age
group some of the probability, because ages are ordered and labels near a boundary are uncertain.

A run is a folder: `run.json` (what was asked for), `checkpoint.pt` (the last finished epoch),
`log.jsonl` (a line an epoch), and TensorBoard's event files. Every epoch draws from a generator
seeded by the run's seed and the epoch's number, so a resumed run continues as it would have.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim import SGD
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from kiosk.errors import KioskError
from kiosk.files import replaced_safely
from trainer import prepared
from trainer.accuracy import Accuracy, measure
from trainer.augment import Augmentation, augmented
from trainer.facialnet import FacialNet, Logits, normalised
from trainer.prepared import PreparedData

_CHECKPOINT, _SETTINGS, _LOG = "checkpoint.pt", "run.json", "log.jsonl"


class RunError(KioskError):
    """A run that cannot be started, resumed or read."""


@dataclass(frozen=True)
class Recipe:
    """Everything that a run's result depends on, besides its data."""

    epochs: int = 18
    batch: int = 64
    peak_rate: float = 0.03
    warm_up: float = 0.15
    """Share of the run in which the rate rises."""
    momentum: float = 0.9
    weight_decay: float = 5e-4
    average_decay: float = 0.999
    """Of the running average of the weights, a step."""
    gender_weight: float = 1.5
    """Of the gender's loss in the sum, against the age group's 1: two classes give smaller losses than eight."""
    gender_smoothing: float = 0.05
    age_spread: float = 0.12
    """Probability that a target gives to the age groups beside the labelled one."""
    batch_norm: bool = True
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def rate(self, progress: float) -> float:
        """The learning rate at `progress` (0…1) through the run: a cosine up, a cosine down."""
        if progress < self.warm_up:
            return self.peak_rate * (0.04 + 0.96 * (1 - math.cos(math.pi * progress / self.warm_up)) / 2)
        return self.peak_rate * (1 + math.cos(math.pi * (progress - self.warm_up) / (1 - self.warm_up))) / 2


def train(folder: Path, out: Path, recipe: Recipe, *, resume: bool = False, start_from: Path | None = None) -> Accuracy:
    """Trains on the prepared `folder` into the run `out`; returns the accuracy on its test split.

    `start_from` is another run, with whose network this one begins. Ctrl-C keeps the last finished
    epoch. Raises `RunError` and `PreparedDataError`.
    """
    cv2.setNumThreads(1)  # for one chip at a time, more would only get in the way of torch's
    data = prepared.load(folder)
    if not len(data.rows("test")):
        raise RunError(f"{folder} has no faces kept for testing")
    begin_with = load_network(start_from) if start_from else None
    if begin_with and begin_with.batch_norm != recipe.batch_norm:
        raise RunError(f"{start_from} holds another architecture than this recipe's")
    run = _Run(data, recipe, begin_with)
    asked_for = {
        "prepared": str(folder.resolve()),
        "start_from": str(start_from.resolve()) if start_from else None,
        "recipe": asdict(recipe),
    }
    done = _open_run(out, asked_for, run, resume=resume)
    accuracy = measure(run.averaged, data, "test") if done == recipe.epochs else None
    with SummaryWriter(str(out)) as board:
        for epoch in range(done, recipe.epochs):
            try:
                loss = run.epoch(epoch)
                accuracy = measure(run.averaged, data, "test")
                run.save(out / _CHECKPOINT, epoch + 1)
                _log(out, board, epoch + 1, loss, accuracy)
            except KeyboardInterrupt:
                raise RunError(f"stopped in epoch {epoch + 1}; continue with the same command and --resume") from None
    assert accuracy is not None
    return accuracy


def load_network(run: Path) -> FacialNet:
    """The averaged network of a run's last finished epoch, ready for inference."""
    settings = load_settings(run)
    network = FacialNet(batch_norm=settings["recipe"]["batch_norm"])
    state = _load_checkpoint(run / _CHECKPOINT)
    try:
        network.load_state_dict(_unwrapped(state["average"]))
    except (KeyError, RuntimeError) as error:
        raise RunError(f"{run / _CHECKPOINT} holds another architecture than {run / _SETTINGS} says") from error
    return network.eval()


def load_settings(run: Path) -> dict[str, Any]:
    """What `run.json` says: the prepared folder, the run that it began with, and the recipe."""
    try:
        settings: dict[str, Any] = json.loads((run / _SETTINGS).read_text(encoding="utf-8"))
        if not {"prepared", "start_from", "recipe"} <= set(settings) or "batch_norm" not in settings["recipe"]:
            raise ValueError("keys are missing")
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{run} is not a run of `trainer train`: {_SETTINGS} cannot be read ({error})") from error
    return settings


class _Run:
    """The state that an epoch changes."""

    def __init__(self, data: PreparedData, recipe: Recipe, begin_with: FacialNet | None) -> None:
        torch.manual_seed(recipe.seed)
        self.data = data
        self.recipe = recipe
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = (begin_with or FacialNet(recipe.batch_norm)).to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stubs
        self.averaged = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(recipe.average_decay), use_buffers=True
        )
        self.optimizer = SGD(
            self.network.parameters(),
            lr=recipe.rate(0),
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=True,
        )
        self.rows = data.rows("train")
        if len(self.rows) < recipe.batch:
            raise RunError(f"{len(self.rows)} training faces do not fill one batch of {recipe.batch}: use --batch")
        self.genders = torch.from_numpy(data.genders())
        self.ages = torch.from_numpy(data.ages())
        self.age_targets = neighbourly(len(data.groups), recipe.age_spread)

    def epoch(self, number: int) -> float:
        """Trains once over all faces; returns the mean loss."""
        rng = np.random.default_rng([self.recipe.seed, number])
        torch.manual_seed(self.recipe.seed * 100_003 + number)  # for dropout
        self.network.train()
        steps = len(self.rows) // self.recipe.batch
        total = 0.0
        progress = tqdm(self._batches(rng, steps), total=steps, desc=f"epoch {number + 1}/{self.recipe.epochs}")
        for step, (chips, rows) in enumerate(progress):
            rate = self.recipe.rate((number + step / steps) / self.recipe.epochs)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            total += self._step(chips, rows)
            progress.set_postfix(loss=f"{total / (step + 1):.3f}", rate=f"{rate:.4f}", refresh=False)
        return total / steps

    def save(self, path: Path, epochs_done: int) -> None:
        with replaced_safely(path) as temporary:
            torch.save(
                {
                    "epochs": epochs_done,
                    "network": self.network.state_dict(),
                    "average": self.averaged.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                },
                temporary,
            )

    def restore(self, path: Path) -> int:
        state = _load_checkpoint(path)
        try:
            self.network.load_state_dict(state["network"])
            self.averaged.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            return int(state["epochs"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise RunError(f"{path} is a checkpoint of another architecture or recipe") from error

    def _batches(self, rng: np.random.Generator, steps: int) -> Iterator[tuple[Tensor, NDArray[np.intp]]]:
        order = rng.permutation(self.rows)
        for step in range(steps):
            rows = np.sort(order[step * self.recipe.batch : (step + 1) * self.recipe.batch])
            views = augmented(self.data.chips[rows], rng, self.recipe.augmentation)
            yield torch.from_numpy(views), rows

    def _step(self, chips: Tensor, rows: NDArray[np.intp]) -> float:
        chips = normalised(chips).to(self.device, memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            logits: Logits = self.network(chips)
        gender = functional.cross_entropy(
            logits.gender.float(),
            self.genders[rows].to(self.device),
            label_smoothing=self.recipe.gender_smoothing,
        )
        age = functional.cross_entropy(logits.age.float(), self.age_targets[self.ages[rows]].to(self.device))
        loss = self.recipe.gender_weight * gender + age
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.averaged.update_parameters(self.network)
        return float(loss.detach())


def neighbourly(groups: int, spread: float) -> Tensor:
    """(groups, groups) targets: `spread` of each row's probability lies on the groups beside it."""
    targets = torch.eye(groups) * (1 - spread)
    for group in range(groups):
        beside = [other for other in (group - 1, group + 1) if 0 <= other < groups]
        targets[group, beside] += spread / len(beside)
    return targets


def _open_run(out: Path, asked_for: dict[str, Any], run: _Run, *, resume: bool) -> int:
    """Epochs already done in `out`, having restored them, or 0 for a run begun now."""
    checkpoint, settings = out / _CHECKPOINT, out / _SETTINGS
    if resume:
        if not settings.exists():
            raise RunError(f"nothing to resume: {out} holds no run")
        if load_settings(out) != asked_for:
            raise RunError(f"{out} was begun with other options or data: resume it with what {settings} says")
        return run.restore(checkpoint) if checkpoint.exists() else 0
    if checkpoint.exists():
        raise RunError(f"{out} already holds a run: add --resume to continue it, or choose another --out")
    with replaced_safely(settings) as path:
        path.write_text(json.dumps(asked_for, indent=2) + "\n", encoding="utf-8")
    return 0


def _load_checkpoint(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing: the run has no finished epoch") from error
    except Exception as error:  # torch.load raises whatever its parsers do
        raise RunError(f"{path} is not a readable checkpoint ({type(error).__name__})") from error
    if not isinstance(state, dict):
        raise RunError(f"{path} is not a checkpoint of `trainer train`")
    return state


def _unwrapped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """An averaged model's weights under the names of the network it wraps."""
    return {name.removeprefix("module."): value for name, value in state.items() if name.startswith("module.")}


def _log(out: Path, board: SummaryWriter, epoch: int, loss: float, accuracy: Accuracy) -> None:
    line = {"epoch": epoch, "loss": round(loss, 4), **asdict(accuracy)}
    with (out / _LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    board.add_scalar("loss/train", loss, epoch)
    for name in ("gender", "age", "age_within_one"):
        board.add_scalar(f"accuracy/{name}", getattr(accuracy, name), epoch)
    tqdm.write(f"epoch {epoch}: loss {loss:.3f}, {accuracy}")
