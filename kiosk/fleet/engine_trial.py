"""Tries another engine: keeps it if it runs well for a while, else goes back to the previous one.

The choice is in a file, by the engine's SHA-256, and is written before the engine is used. So a trial survives the end
of the program. Each start of the program during a trial counts; after `MOST_STARTS` the previous engine is used again.
None stands for the engine of the machine's own settings.

The result of a trial stays in the file with its order: the power may fail before the result is reported, and the same
order must not start another trial.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from kiosk.common.atomic_files import replace_file, sync
from kiosk.common.errors import KioskError

STEADY_S = 60.0
"""Seconds without a fault after which an engine is kept."""

WITHIN_S = 300.0
"""Seconds after which a trial fails. TensorRT may compile for minutes at the first start."""

MOST_STARTS = 2
"""The most starts of the program with an engine on trial."""

_OWN = "own"

EngineHealth = Literal["well", "unwell", "unknown"]
Outcome = Literal["applied", "rolled_back"]


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Choice:
    """The content of the file."""

    sha256: Sha256 | None = None
    previous: Sha256 | None = None
    on_trial: bool = False
    starts: Annotated[int, Field(ge=0)] = 0
    failed: str = ""
    """The SHA-256 of the engine whose trial failed last; `own` for the settings' engine."""

    order: str = ""
    """The order of the trial. Kiosk 0.2.0 did not write it."""

    @property
    def back(self) -> Choice:
        """The choice of the previous engine, with this one marked as failed."""
        return Choice(self.previous, failed=self.sha256 or _OWN, order=self.order)

    def failed_for(self, sha256: str | None, order: str) -> bool:
        """Returns whether this order's trial of this engine has failed."""
        return self.failed == (sha256 or _OWN) and self.order in ("", order)


_CHOICE = TypeAdapter(Choice)
_LONGEST = 4096  # bytes


def read(path: Path) -> Choice:
    """Returns the choice in the file; the settings' own engine if the file is missing or invalid."""
    try:
        with path.open("rb") as file:
            return _CHOICE.validate_json(file.read(_LONGEST))
    except (OSError, ValueError):
        return Choice()


def write(path: Path, choice: Choice) -> None:
    """Writes the choice to the disk, before anything about it is reported. Raises `OSError`."""
    with replace_file(path) as temporary:
        temporary.write_text(json.dumps(asdict(choice)) + "\n", encoding="utf-8")
    sync(path.parent)


def engine_at_start(path: Path, find: Callable[[str], Path]) -> Path | None:
    """Returns the engine for this start of the program, and counts the start of a trial. Raises `OSError`."""
    choice = read(path)
    if choice.on_trial:
        choice = choice.back if choice.starts >= MOST_STARTS else _count_start(choice)
        write(path, choice)
    if choice.sha256 is None:
        return None
    try:
        return find(choice.sha256)
    except KioskError:
        if choice.on_trial:
            write(path, choice.back)
        return None


def _count_start(choice: Choice) -> Choice:
    return replace(choice, starts=choice.starts + 1)


class EngineTrial:
    """Carries out trials of engines.

    `use` switches to an engine, None for the settings' own. `find` returns an engine's path by its SHA-256. Both raise
    `KioskError` if that is impossible.
    """

    def __init__(
        self,
        path: Path,
        find: Callable[[str], Path],
        use: Callable[[Path | None], None],
        engine_health: Callable[[], EngineHealth],
    ) -> None:
        self._path = path
        self._find = find
        self._use = use
        self._wellbeing = engine_health
        self._choice = read(path)
        self._began: float | None = None
        self._well_since: float | None = None

    def has_begun(self, sha256: str | None, order: str) -> bool:
        """Returns whether an order's trial of this engine has begun."""
        choice = self._choice
        return (choice.on_trial and choice.sha256 == sha256) or choice.failed_for(sha256, order)

    def advance(self, sha256: str | None, now: float, *, order: str, idle: bool) -> Outcome | None:
        """Continues an order for this engine; returns its outcome, or None while undecided.

        A trial begins only while the machine is `idle`. Raises `KioskError` or `OSError` if it cannot begin.
        """
        choice = self._choice
        if choice.failed_for(sha256, order):
            if not choice.order:  # a file of 0.2.0: from now on it belongs to this order
                self._store(replace(choice, order=order))
            return "rolled_back"
        if not choice.on_trial or choice.sha256 != sha256:
            if choice.sha256 == sha256:
                return "applied"
            if idle:
                self._begin(sha256, now, order)
            return None
        if self._began is None:  # by an earlier run of the program
            self._began = now
        return self._judge(now)

    def _begin(self, sha256: str | None, now: float, order: str) -> None:
        place = self._find(sha256) if sha256 else None
        before = self._choice
        self._store(Choice(sha256, before.sha256, on_trial=True, starts=1, order=order))
        self._began, self._well_since = now, None
        try:
            self._use(place)
        except KioskError:
            self._store(before)
            raise

    def _judge(self, now: float) -> Outcome | None:
        assert self._began is not None
        engine_health = self._wellbeing()
        if engine_health == "well":
            self._well_since = now if self._well_since is None else self._well_since
            if now - self._well_since >= STEADY_S:
                if self._is_unchanged:
                    self._store(Choice(self._choice.sha256))
                    return "applied"
                engine_health = "unwell"
        else:
            self._well_since = None
        if engine_health == "unwell" or now - self._began > WITHIN_S:
            self._store(self._choice.back)
            self._restore_previous()
            return "rolled_back"
        return None

    @property
    def _is_unchanged(self) -> bool:
        """Whether its file is unchanged since the trial began."""
        try:
            return self._choice.sha256 is None or bool(self._find(self._choice.sha256))
        except KioskError:
            return False

    def _restore_previous(self) -> None:
        """Uses the previous engine again; the settings' own if that one is gone."""
        sha256 = self._choice.sha256
        try:
            self._use(self._find(sha256) if sha256 else None)
        except KioskError:
            self._store(replace(self._choice, sha256=None))
            self._use(None)

    def _store(self, choice: Choice) -> None:
        write(self._path, choice)
        self._choice = choice
