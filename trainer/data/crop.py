"""Crops faces from images on all cores, in worker processes.

Detector and aligner are the kiosk's own. In an image with several faces the largest is used.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from kiosk.common.errors import KioskError
from kiosk.vision.faces.alignment import align
from kiosk.vision.faces.detector import FaceFinder
from trainer.data.image_file import read_image
from trainer.data.partial_results import Outcome, Part
from trainer.data.prepared import MARGIN, STORED_SIZE


class CropError(KioskError):
    """A worker process ended unexpectedly."""


def crop_all(batches: Mapping[int, Sequence[Path]], workers: int | None, take: Callable[[int, Part], None]) -> None:
    """Crops every batch of images and passes each result with its number to `take`, as soon as it is done.

    `workers` is the number of processes, by default one for each core. Raises `CropError`, and what `take` raises; all
    workers have then stopped.
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    count = min(workers or os.cpu_count() or 1, len(batches))
    with _pool(count, context, stop) as pool:
        try:
            with _no_interrupts():
                futures = {pool.submit(crop_images, paths): number for number, paths in batches.items()}
            for future in as_completed(list(futures)):
                # Dropped once taken, so that the crops do not accumulate in memory.
                number, part = futures.pop(future), future.result()
                assert part is not None
                take(number, part)
        except BrokenProcessPool as error:
            raise CropError(
                "a worker process was killed, perhaps because memory ran out: "
                "run the same command again to continue, with fewer --workers"
            ) from error
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _pool(workers: int, context: SpawnContext, stop: Event) -> Executor:
    return ProcessPoolExecutor(workers, context, initializer=_start, initargs=(stop,))


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Blocks Ctrl-C for processes that start in the block; they are stopped by an event instead.

    A terminal sends Ctrl-C to all processes. The signal is blocked, which processes inherit, and not ignored, so that
    this process receives it afterwards.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_finder: FaceFinder | None = None
_stop: Event | None = None


def _start(stop: Event) -> None:
    global _finder, _stop
    _finder, _stop = FaceFinder(), stop
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends a worker whose parent was killed, which would otherwise wait forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def crop_images(paths: Sequence[Path]) -> Part | None:
    """Crops the largest face of each image; returns None if the work was stopped."""
    assert _finder is not None
    assert _stop is not None
    outcomes, digests, crops = [], [], []
    for path in paths:
        if _stop.is_set():
            return None
        digest, gray = read_image(path)
        digests.append(np.frombuffer(digest, np.uint8))
        faces = [] if gray is None else _finder.detect_in_still(gray)
        if gray is None:
            outcomes.append(Outcome.UNREADABLE)
        elif not faces:
            outcomes.append(Outcome.NO_FACE)
        else:
            outcomes.append(Outcome.FACE)
            crops.append(align(gray, faces[0], MARGIN))
    return Part(
        np.array(outcomes, np.uint8),
        np.stack(digests),
        np.stack(crops) if crops else np.empty((0, STORED_SIZE, STORED_SIZE), np.uint8),
    )
