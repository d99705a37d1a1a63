"""Where the time of a frame goes: functions are wrapped while it is measured, and their time is told apart.

The time of a function within another counts for its own stage alone, so stages add up to the whole.
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
"""Of a frame's walk through the pipeline: what no stage has."""

FUNCTIONS = (
    ("kiosk.vision.pipeline", "Pipeline.process", REST),
    ("kiosk.vision.pipeline", "gray_of", REST),
    ("kiosk.vision.faces.detector", "FaceFinder.detect", "detect"),
    ("kiosk.vision.faces.detector", "FaceFinder.follow", "follow"),
    ("kiosk.vision.faces.detector", "FaceFinder._fit", "landmark"),
    ("kiosk.vision.faces.crop", "align", "chip"),
    ("kiosk.vision.faces.crop", "quality", "chip"),
    ("kiosk.vision.pipeline", "stacked", "infer"),
)
"""Module, function, stage. One that is not there any more is left out, and its time is its caller's."""

FUSING = ("Tracks", "Track", "TemporalFusion")
"""Classes in `kiosk.vision.tracking.tracker` whose every public method is of the stage `fuse`."""


class Stopwatch:
    """Seconds by stage."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._now = now
        self._inner: list[float] = []  # seconds of what ran within each function that is running

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What happens in the block is of this stage, but for what is of another within it."""
        self._inner.append(0.0)
        started = self._now()
        try:
            yield
        finally:
            took = self._now() - started
            self.seconds[name] += took - self._inner.pop()
            if self._inner:
                self._inner[-1] += took

    def wrapped(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The function, timed."""

        @functools.wraps(function)
        def timed(*args: Any, **more: Any) -> Any:
            with self.stage(name):
                return function(*args, **more)

        return timed


@contextmanager
def timing(watch: Stopwatch) -> Iterator[list[str]]:
    """The pipeline's functions are timed in the block; gives the names of those that were not found."""
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
                patches.enter_context(mock.patch.object(owner, name, watch.wrapped(function, stage)))
        tracks = importlib.import_module("kiosk.vision.tracking.tracker")
        for class_name in FUSING:
            fusing = getattr(tracks, class_name, None)
            if fusing is None:
                missing.append(class_name)
                continue
            for name, member in list(vars(fusing).items()):
                if callable(member) and not name.startswith("_"):
                    patches.enter_context(mock.patch.object(fusing, name, watch.wrapped(member, "fuse")))
        yield missing
