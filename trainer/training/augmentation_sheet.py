"""Draws a sheet of augmented samples (as the paper's Figure 5), to see what a run learns from."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from kiosk.common.atomic_files import replace_file
from kiosk.vision.faces.alignment import CROP_SIZE
from trainer.training.batches import Batches

_SHEET = "views.png"
_ROWS, _COLUMNS = 6, 12
_GAP = 4


def draw_augmentation_sheet(batches: Batches, folder: Path) -> None:
    """Writes `views.png` with the first samples of the first epoch. It contains faces: do not publish it."""
    enough = -(-_ROWS * _COLUMNS // batches.recipe.batch_size)
    samples = [sample for batch in islice(batches.epoch(0), enough) for sample in batch.crops[:, 0].numpy()]
    side = CROP_SIZE + _GAP
    sheet = np.full((_ROWS * side + _GAP, _COLUMNS * side + _GAP), 255, np.uint8)
    for index, sample in enumerate(samples[: _ROWS * _COLUMNS]):
        row, column = divmod(index, _COLUMNS)
        top, left = row * side + _GAP, column * side + _GAP
        sheet[top : top + CROP_SIZE, left : left + CROP_SIZE] = np.rint(sample * 255)
    with replace_file(folder / _SHEET) as path:
        path.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
