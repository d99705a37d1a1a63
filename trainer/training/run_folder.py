"""A run's folder: what was asked for, and the last finished epoch.

    run.json        the prepared folders, the network's age groups, the recipe
    checkpoint.pt   networks, optimiser and schedule after the last finished epoch
    log.jsonl       a line an epoch; beside it TensorBoard's event files
    views.png       a sheet of what augmentation made of some faces

Everything is written safely, so a run that is killed at any instant continues from its last finished
epoch. Checkpoints are read as weights only: a file cannot run code.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from kiosk.estimate import AgeGroup
from trainer.data.faces import Faces
from trainer.data.labels import AGE_GROUPS
from trainer.facialnet import FacialNet
from trainer.training.recipe import Recipe

CHECKPOINT, SETTINGS, LOG = "checkpoint.pt", "run.json", "log.jsonl"


class RunError(KioskError):
    """A run that cannot be started, resumed or read."""


@dataclass(frozen=True)
class Settings:
    """What was asked of a run."""

    prepared: tuple[str, ...]
    """Absolute paths of the prepared folders."""

    dataset: str
    """The sets' names."""

    faces: str
    """`Faces.fingerprint`: which faces, with which labels, in which splits."""

    groups: tuple[AgeGroup, ...]
    """The network's."""

    recipe: Recipe
    start_from: str = ""
    """The run with whose network it began."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "prepared": list(self.prepared),
            "dataset": self.dataset,
            "faces": self.faces,
            "groups": [asdict(group) for group in self.groups],
            "recipe": self.recipe.to_dict(),
            "start_from": self.start_from,
        }

    @classmethod
    def from_dict(cls, data: Any) -> Settings:
        """The opposite of `to_dict`. Raises `ValueError`, `KeyError` or `TypeError`."""
        return cls(
            prepared=tuple(str(folder) for folder in data["prepared"]),
            dataset=data["dataset"],
            faces=data["faces"],
            groups=tuple(AgeGroup(**group) for group in data["groups"]),
            recipe=Recipe.from_dict(data["recipe"]),
            start_from=data["start_from"],
        )


def save_settings(run: Path, settings: Settings) -> None:
    """Writes `run.json`."""
    with replace_file(run / SETTINGS) as path:
        path.write_text(json.dumps(settings.to_dict(), indent=2) + "\n", encoding="utf-8")


def load_settings(run: Path) -> Settings:
    """What `run.json` says. Raises `RunError`."""
    try:
        settings = Settings.from_dict(json.loads((run / SETTINGS).read_text(encoding="utf-8")))
    except OSError as error:
        raise RunError(
            f"{run} is not a run of `trainer train`: {SETTINGS} cannot be read ({error.strerror}); name a run's folder"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{run / SETTINGS} is damaged ({error}): train the run again, into another folder") from error
    if len(settings.groups) != AGE_GROUPS:
        raise RunError(f"{run / SETTINGS} names {len(settings.groups)} age groups, the network has {AGE_GROUPS}")
    return settings


def load_faces(run: Path) -> Faces:
    """The faces of a run, as it learnt from them. Raises `RunError` where they are others now."""
    settings = load_settings(run)
    faces = Faces.load([Path(folder) for folder in settings.prepared], settings.groups)
    if faces.fingerprint != settings.faces:
        raise RunError(
            f"{run} learnt from other faces or splits than {' and '.join(settings.prepared)} holds: a benchmark or a "
            "search has splits of its own, and for a data set that was prepared anew a run must be trained anew"
        )
    return faces


def save_checkpoint(run: Path, state: Mapping[str, Any]) -> None:
    """Replaces the checkpoint, whole or not at all. Raises `OSError`."""
    content = io.BytesIO()  # writing to a file itself, torch tells a full disk as something else
    torch.save(dict(state), content)
    with replace_file(run / CHECKPOINT) as path:
        path.write_bytes(content.getbuffer())


def load_checkpoint(run: Path) -> dict[str, Any]:
    """The state that was saved last. Raises `RunError`."""
    path = run / CHECKPOINT
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing: the run has no finished epoch") from error
    except Exception as error:  # torch.load raises whatever its parsers do
        raise RunError(
            f"{path} is not a readable checkpoint ({type(error).__name__}): train the run again, into another folder"
        ) from error
    if not isinstance(state, dict):
        raise RunError(f"{path} is not a checkpoint of `trainer train`: train the run again, into another folder")
    return state


def cut_log(run: Path, epochs: int) -> None:
    """Takes off the log whatever is beyond so many epochs: it was written, and its checkpoint was not."""
    path = run / LOG
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    if len(lines) > epochs:
        with replace_file(path) as temporary:
            temporary.write_text("".join(lines[:epochs]), encoding="utf-8")


def load_network(run: Path) -> FacialNet:
    """The network of a run's last finished epoch, averaged where the recipe says so, ready for inference."""
    recipe = load_settings(run).recipe
    network = FacialNet(recipe.batch_norm, recipe.normalise_input)
    weights: dict[str, Tensor] | None = load_checkpoint(run).get("average" if recipe.ema_decay else "network")
    try:
        network.load_state_dict(weights or {})
    except (RuntimeError, TypeError, AttributeError) as error:
        raise RunError(
            f"{run / CHECKPOINT} holds another architecture than {run / SETTINGS} says: train the run again"
        ) from error
    return network.eval()
