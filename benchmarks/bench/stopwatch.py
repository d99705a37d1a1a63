"""Measures the time of each stage of a frame by wrapping the pipeline's functions.

The time of a nested function counts only for its own stage, so the stages add up to the whole.
"""

from __future__ import annotations

import functools
import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

REST = "rest"
"""The stage for time in the pipeline that belongs to no other stage."""

FUNCTIONS = (
    ("kiosk.vision.pipeline", "Pipeline.process", REST),
    ("kiosk.vision.pipeline", "to_gray", REST),
    ("kiosk.vision.faces.detector", "FaceFinder.detect", "detect"),
    ("kiosk.vision.faces.detector", "FaceFinder.follow", "follow"),
    ("kiosk.vision.faces.detector", "FaceFinder._fit", "landmark"),
    ("kiosk.vision.faces.crop", "align", "chip"),
    ("kiosk.vision.faces.crop", "quality", "chip"),
    ("kiosk.vision.pipeline", "stack_crops", "infer"),
)
"""Module, function and stage. A missing function is left out, and its time counts for its caller."""

FUSING = ("Tracker", "Track", "TemporalFusion")
"""Classes in `kiosk.vision.tracking.tracker` whose public methods belong to the stage `fuse`."""


class Stopwatch:
    """Adds up seconds by stage."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._now = now
        self._inner: list[float] = []  # seconds of what ran within each function that is running

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time of the block for this stage, without the stages nested in it."""
        self._inner.append(0.0)
        started = self._now()
        try:
            yield
        finally:
            took = self._now() - started
            self.seconds[name] += took - self._inner.pop()
            if self._inner:
                self._inner[-1] += took

    def wrap(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Returns `function` so that its calls count for the stage `name`."""

        @functools.wraps(function)
        def timed(*args: Any, **more: Any) -> Any:
            with self.stage(name):
                return function(*args, **more)

        return timed


@contextmanager
def timing(watch: Stopwatch) -> Iterator[list[str]]:
    """Times the pipeline's functions in the block, and yields the names of those that were not found."""
    missing: list[str] = []
    with ExitStack() as patches:
        for module, path, stage in FUNCTIONS:
            owner: Any = importlib.import_module(module)
            *holders, name = path.split(".")
            for holder in holders:
                owner = getattr(owner, holder, None)
            function = getattr(owner, name, None)
            if function is None:
                missing.append(path)
            else:
                patches.enter_context(mock.patch.object(owner, name, watch.wrap(function, stage)))
        tracks = importlib.import_module("kiosk.vision.tracking.tracker")
        for class_name in FUSING:
            fusing = getattr(tracks, class_name, None)
            if fusing is None:
                missing.append(class_name)
                continue
            for name, member in list(vars(fusing).items()):
                if callable(member) and not name.startswith("_"):
                    patches.enter_context(mock.patch.object(fusing, name, watch.wrap(member, "fuse")))
        yield missing
