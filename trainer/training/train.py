"""Trains FacialNet on prepared faces, by a recipe, into a run's folder.

It uses one process or several (`torchrun`), on a CPU or on GPUs. Training may be stopped at any time. With `resume` it
continues after the last finished epoch and gives the same result as without the interruption.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from kiosk.estimate import AgeGroup
from trainer.data.faces import Faces
from trainer.data.labels import AGE_GROUPS, Split
from trainer.facialnet import FacialNet, Logits
from trainer.training.accuracy import Accuracy, Fit, measure
from trainer.training.augmentation_sheet import draw_augmentation_sheet
from trainer.training.batches import Batch, Batches
from trainer.training.distributed import Processes, join_processes
from trainer.training.recipe import Recipe
from trainer.training.run_folder import (
    CHECKPOINT,
    LOG,
    SETTINGS,
    RunError,
    Settings,
    cut_log,
    load_checkpoint,
    load_network,
    load_settings,
    save_checkpoint,
    save_settings,
)


def train(
    folders: Sequence[Path],
    out: Path,
    recipe: Recipe,
    *,
    groups: Sequence[AgeGroup] | None = None,
    resume: bool = False,
    start_from: Path | None = None,
) -> Accuracy:
    """Trains on the prepared `folders` into the run `out`; returns the accuracy on its validation faces.

    The network's age groups are `groups`, by default the first folder's. Training starts from the network of the run
    `start_from`, if given. Ctrl-C keeps the last finished epoch. Raises `RunError` and `PreparedDataError`.
    """
    faces = Faces.load(folders, groups)
    for split in ("calibration", "test"):
        if not len(faces.rows(split)):
            raise RunError(f"{faces.name} has no faces for {split}: it is too small, prepare more faces")
    return train_on(faces, folders, out, recipe, resume=resume, start_from=start_from)


def train_on(
    faces: Faces,
    folders: Sequence[Path],
    out: Path,
    recipe: Recipe,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    resume_hint: str = "the same command and --resume",
) -> Accuracy:
    """Trains like `train`, on loaded faces, whose splits may differ from those on the disk.

    `resume_hint` says in errors how to continue an interrupted run.
    """
    settings = Settings(
        prepared=tuple(str(folder.resolve()) for folder in folders),
        dataset=faces.name,
        faces=faces.fingerprint,
        groups=faces.groups,
        recipe=recipe,
        start_from=str(start_from.resolve()) if start_from else "",
    )
    begun = resume and (out / CHECKPOINT).exists()  # then it starts from its own checkpoint
    with join_processes() as processes:
        run = _Run(faces, recipe, processes, _initial_network(recipe, None if begun else start_from))
        done = _open(out, settings, run, resume=resume)
        return run.fit(out, done, resume_hint)


class DivergedError(RunError):
    """The loss became infinite or NaN, because the learning rate is too high."""


class _Run:
    """The state of a run in each process: network, average, optimiser, schedule."""

    def __init__(self, faces: Faces, recipe: Recipe, processes: Processes, network: FacialNet) -> None:
        _check(faces, recipe, processes)
        self.faces, self.recipe, self.processes = faces, recipe, processes
        self.batches = Batches(faces, recipe, processes.rank, processes.count)
        network.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stubs
        self.learner = processes.wrap(network)
        self.network = self.learner.module if isinstance(self.learner, DistributedDataParallel) else self.learner
        self.average = copy.deepcopy(self.network) if recipe.ema_decay else self.network
        self.optimizer = _optimizer(self.network, recipe)
        self.plateau = ReduceLROnPlateau(self.optimizer)
        self.precision = _precision(processes.device) if recipe.mixed_precision else torch.float32
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.precision == torch.float16)
        self.steps = 0

    def fit(self, out: Path, done: int, resume_hint: str) -> Accuracy:
        """Trains the remaining epochs and writes each when it is finished; returns the validation accuracy."""
        validation: Split = "calibration" if len(self.faces.rows("calibration")) else "test"
        accuracy = measure(self.average, self.faces, validation) if done == self.recipe.epochs else None
        board = SummaryWriter(str(out), purge_step=done + 1) if self.processes.is_first else None
        for epoch in range(done, self.recipe.epochs):
            try:
                learnt = self.epoch(epoch)
                accuracy = measure(self.average, self.faces, validation)
                _check_numbers(epoch + 1, learnt.loss, accuracy.gender_loss, accuracy.age_loss)
                if board:
                    _log(out, board, _Finished(epoch + 1, self.rate, learnt, accuracy))
                    save_checkpoint(out, self.state(epoch + 1))
                self.processes.wait()
            except KeyboardInterrupt:
                raise RunError(f"stopped in epoch {epoch + 1}; continue with {resume_hint}") from None
            except OSError as error:
                raise RunError(
                    f"epoch {epoch + 1} cannot be written to {out} ({error.strerror}): "
                    f"make room and continue with {resume_hint}"
                ) from error
        if board:
            board.close()
        assert accuracy is not None
        return accuracy

    def epoch(self, number: int) -> Fit:
        """Trains one epoch; returns the training loss and accuracy."""
        torch.manual_seed((self.recipe.seed * 100_003 + number) * 1_009 + self.processes.rank)  # for dropout
        self.learner.train()
        fit = Fit()
        progress = tqdm(
            self.batches.epoch(number),
            total=self.batches.steps,
            desc=f"epoch {number + 1}/{self.recipe.epochs}",
            disable=not self.processes.is_first,
        )
        for step, batch in enumerate(progress):
            if self.recipe.schedule == "one-cycle":
                self.rate = self.recipe.lr_at((number + step / self.batches.steps) / self.recipe.epochs)
            fit.add(*self.step(batch))
            progress.set_postfix(loss=f"{fit.loss:.3f}", rate=f"{self.rate:.5f}", refresh=False)
        fit = Fit(self.processes.total(fit.sums.to(self.processes.device)).cpu())
        if self.recipe.schedule == "plateau":
            self.plateau.step(fit.loss)
        return fit

    def step(self, batch: Batch) -> tuple[Tensor, Logits, Batch]:
        """Does one optimiser step; returns the loss, the logits and the batch on the device."""
        device = self.processes.device
        crops = batch.crops.to(device, memory_format=torch.channels_last)
        batch = Batch(crops, batch.gender.to(device), batch.age.to(device))
        with torch.autocast(device.type, self.precision, enabled=self.precision != torch.float32):
            logits: Logits = self.learner(crops)
        logits = Logits(logits.gender.float(), logits.age.float())
        loss = self.recipe.gender_weight * _loss(logits.gender, batch.gender) + _loss(logits.age, batch.age)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.recipe.max_grad_norm:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.max_grad_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.steps += 1
        if self.recipe.ema_decay:
            self._update_average()
        return loss.detach(), logits, batch

    @torch.no_grad()
    def _update_average(self) -> None:
        """Updates the moving average of the weights. At the beginning it decays faster."""
        decay = min(self.recipe.ema_decay, (1 + self.steps) / (10 + self.steps))
        for mean, value in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    @property
    def rate(self) -> float:
        """The current learning rate."""
        return float(self.optimizer.param_groups[0]["lr"])

    @rate.setter
    def rate(self, value: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = value

    def state(self, epochs: int) -> dict[str, Any]:
        """Returns the checkpoint after this number of epochs."""
        return {
            "epochs": epochs,
            "steps": self.steps,
            "network": self.network.state_dict(),
            "average": self.average.state_dict() if self.recipe.ema_decay else {},
            "optimizer": self.optimizer.state_dict(),
            "plateau": self.plateau.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, out: Path) -> int:
        """Restores the last checkpoint; returns its number of epochs. Raises `RunError`."""
        state = load_checkpoint(out)
        try:
            self.network.load_state_dict(state["network"])
            if self.recipe.ema_decay:
                self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.plateau.load_state_dict(state["plateau"])
            self.scaler.load_state_dict(state["scaler"])
            self.steps = int(state["steps"])
            return int(state["epochs"])
        except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise RunError(
                f"{out / CHECKPOINT} is a checkpoint of another architecture or recipe: delete the run and train again"
            ) from error


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean cross-entropy. A face without a label adds nothing to the sum but counts in the mean.

    So the averaged gradients of several processes equal the gradient of the whole batch.
    """
    return -(targets * functional.log_softmax(logits, dim=1)).sum() / len(logits)


def _optimizer(network: nn.Module, recipe: Recipe) -> Optimizer:
    weights = [value for value in network.parameters() if value.ndim > 1]
    offsets = [value for value in network.parameters() if value.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": offsets, "weight_decay": recipe.weight_decay if recipe.decay_bias_and_norm else 0.0},
    ]
    if recipe.optimizer == "adamw":
        return AdamW(groups, lr=recipe.lr, betas=(recipe.momentum, 0.99))
    return SGD(groups, lr=recipe.lr, momentum=recipe.momentum)


def _precision(device: torch.device) -> torch.dtype:
    """Returns float16 for Turing and older GPUs, which have no bfloat16; else bfloat16, which needs no loss scaling."""
    old = device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.float16 if old else torch.bfloat16


def _check_numbers(epoch: int, *losses: float | None) -> None:
    if not all(math.isfinite(loss) for loss in losses if loss is not None):
        raise DivergedError(f"training diverged in epoch {epoch}: the loss is not a finite number; use a lower --lr")


def _initial_network(recipe: Recipe, start_from: Path | None) -> FacialNet:
    """Returns the network with which training starts."""
    torch.manual_seed(recipe.seed)
    if start_from is None:
        return FacialNet(recipe.batch_norm, recipe.normalise_input)
    network = load_network(start_from)
    if (network.batch_norm, network.normalise_input) != (recipe.batch_norm, recipe.normalise_input):
        raise RunError(f"{start_from} holds another architecture than this recipe's")
    return network


def _check(faces: Faces, recipe: Recipe, processes: Processes) -> None:
    rows = faces.rows("train")
    if len(rows) < recipe.batch_size:
        raise RunError(
            f"{len(rows)} training faces do not fill one batch of {recipe.batch_size}: use more faces or a smaller "
            "--batch-size"
        )
    share = processes.count * (2 if recipe.mixup else 1)  # crops are mixed in pairs
    if processes.count > 1 and recipe.batch_size % share:
        raise RunError(
            f"{processes.count} processes cannot share batches of {recipe.batch_size}: use a --batch-size that "
            f"is a multiple of {share}"
        )
    if len(faces.groups) != AGE_GROUPS:
        raise RunError(f"{faces.name} has {len(faces.groups)} age groups, the network has {AGE_GROUPS}: use --groups")
    if not (faces.ages[rows] >= 0).any() and not (faces.genders[rows] >= 0).any():
        raise RunError(f"no face of {faces.name} has a label that this network can learn: check the labels")


def _open(out: Path, settings: Settings, run: _Run, *, resume: bool) -> int:
    """Opens the run's folder; returns the number of epochs restored from it, 0 for a new run. Raises `RunError`."""
    begun = (out / CHECKPOINT).exists()
    if resume:
        if not (out / SETTINGS).exists():
            raise RunError(f"nothing to resume: {out} holds no run")
        if load_settings(out) != settings:
            raise RunError(
                f"{out} was started with other options or data: resume it with those in {out / SETTINGS}, or delete it"
            )
        done = run.restore(out) if begun else 0
        if done > settings.recipe.epochs:
            raise RunError(f"{out / CHECKPOINT} has {done} epochs, more than {out / SETTINGS} asks for: delete the run")
        if run.processes.is_first:
            cut_log(out, done)
        return done
    if begun:
        raise RunError(f"{out} already holds a run: add --resume to continue it, or choose another --out")
    if run.processes.is_first:
        save_settings(out, settings)
        draw_augmentation_sheet(run.batches, out)
    run.processes.wait()
    return 0


@dataclass(frozen=True)
class _Finished:
    """One line of the log."""

    epoch: int
    rate: float
    learnt: Fit
    validation: Accuracy

    def to_dict(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "rate": self.rate,
            "train": {name: round(value, 4) for name, value in self.learnt.shares.items()},
            "validation": asdict(self.validation),
        }


def _log(out: Path, board: SummaryWriter, finished: _Finished) -> None:
    """Writes a line to the log and to the screen, and a point to each of TensorBoard's curves."""
    line = finished.to_dict()
    with (out / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    board.add_scalar("rate", finished.rate, finished.epoch)
    for side in ("train", "validation"):
        for name, value in line[side].items():
            if isinstance(value, float):
                board.add_scalar(f"{name}/{side}", value, finished.epoch)
    board.flush()
    tqdm.write(f"epoch {finished.epoch}: loss {finished.learnt.loss:.3f}, {finished.validation}")
