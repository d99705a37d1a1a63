"""Reads and writes a run's folder: its settings and the last finished epoch.

    run.json        the prepared folders, the network's age groups, the recipe
    checkpoint.pt   networks, optimiser and schedule after the last finished epoch
    log.jsonl       one line for each epoch; beside it TensorBoard's event files
    views.png       a sheet of augmented samples

Files are written atomically, so that a run that was killed continues from its last finished epoch. Checkpoints are
loaded as weights only: a file cannot execute code.
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
    """The settings of a run."""

    prepared: tuple[str, ...]
    """The absolute paths of the prepared folders."""

    dataset: str
    """The names of the data sets."""

    faces: str
    """`Faces.fingerprint`: a hash of faces, labels and splits."""

    groups: tuple[AgeGroup, ...]
    """The network's age groups."""

    recipe: Recipe
    start_from: str = ""
    """The run from whose network it started, or empty."""

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
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
        """Returns the settings that `to_dict` wrote. Raises `ValueError`, `KeyError` or `TypeError`."""
        return cls(
            prepared=tuple(str(folder) for folder in data["prepared"]),
            dataset=data["dataset"],
            faces=data["faces"],
            groups=tuple(AgeGroup(**group) for group in data["groups"]),
            recipe=Recipe.from_dict(data["recipe"]),
            start_from=data["start_from"],
        )


def save_settings(run: Path, settings: Settings) -> None:
    """Writes `run.json`. Raises `OSError`."""
    with replace_file(run / SETTINGS) as path:
        path.write_text(json.dumps(settings.to_dict(), indent=2) + "\n", encoding="utf-8")


def load_settings(run: Path) -> Settings:
    """Reads `run.json`. Raises `RunError`."""
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
    """Loads the faces of a run. Raises `RunError` if they have changed since."""
    settings = load_settings(run)
    faces = Faces.load([Path(folder) for folder in settings.prepared], settings.groups)
    if faces.fingerprint != settings.faces:
        raise RunError(
            f"{run} was trained on other faces or splits than those in {' and '.join(settings.prepared)}: "
            "benchmarks and searches have their own splits; after preparing a data set again, train again"
        )
    return faces


def save_checkpoint(run: Path, state: Mapping[str, Any]) -> None:
    """Replaces the checkpoint atomically. Raises `OSError`."""
    content = io.BytesIO()  # writing directly, torch would report a full disk as another error
    torch.save(dict(state), content)
    with replace_file(run / CHECKPOINT) as path:
        path.write_bytes(content.getbuffer())


def load_checkpoint(run: Path) -> dict[str, Any]:
    """Returns the last saved state. Raises `RunError`."""
    path = run / CHECKPOINT
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing: the run has no finished epoch") from error
    except Exception as error:  # torch.load raises errors of many kinds
        raise RunError(
            f"{path} is not a readable checkpoint ({type(error).__name__}): train the run again, into another folder"
        ) from error
    if not isinstance(state, dict):
        raise RunError(f"{path} is not a checkpoint of `trainer train`: train the run again, into another folder")
    return state


def cut_log(run: Path, epochs: int) -> None:
    """Removes lines of the log after this number of epochs, whose checkpoints were not written."""
    path = run / LOG
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    if len(lines) > epochs:
        with replace_file(path) as temporary:
            temporary.write_text("".join(lines[:epochs]), encoding="utf-8")


def load_network(run: Path) -> FacialNet:
    """Returns the network of the last finished epoch, averaged if the recipe says so, in inference mode.

    Raises `RunError`.
    """
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
