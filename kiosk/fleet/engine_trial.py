"""Another engine, on trial: kept once it has run well for a while, else the one before it comes back by itself.

What is chosen is in a file, by the engine's SHA-256, written before the engine is used. So a trial outlives the
program: one that ends in the middle of it counts as a start, and after two of these the old engine is back. None stands
for the engine of the machine's own settings.

What came of a trial stays there with the order whose trial it was: the power may go before anybody was told, and that
order must not begin another one.
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
"""Seconds in which these have to be over: TensorRT may compile for minutes at the first start."""

MOST_STARTS = 2
"""Of the program, with an engine on trial."""

_OWN = "own"

Wellbeing = Literal["well", "unwell", "unknown"]
Outcome = Literal["applied", "rolled_back"]


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Choice:
    """What is in the file."""

    sha256: Sha256 | None = None
    previous: Sha256 | None = None
    on_trial: bool = False
    starts: Annotated[int, Field(ge=0)] = 0
    failed: str = ""
    """The engine whose trial was the last to fail; `own`: the settings'."""

    order: str = ""
    """Whose trial it is or was; kiosk 0.2.0 did not write it."""

    @property
    def back(self) -> Choice:
        """The one before it."""
        return Choice(self.previous, failed=self.sha256 or _OWN, order=self.order)

    def failed_for(self, sha256: str | None, order: str) -> bool:
        """Whether this order's trial of this engine is over, and failed."""
        return self.failed == (sha256 or _OWN) and self.order in ("", order)


_CHOICE = TypeAdapter(Choice)
_LONGEST = 4096  # bytes


def read(path: Path) -> Choice:
    """The choice; the settings' own engine where there is no file, or none that can be understood."""
    try:
        with path.open("rb") as file:
            return _CHOICE.validate_json(file.read(_LONGEST))
    except (OSError, ValueError):
        return Choice()


def write(path: Path, choice: Choice) -> None:
    """On the disk once it returns: what is told afterwards must not outlive it. Raises `OSError`."""
    with replace_file(path) as temporary:
        temporary.write_text(json.dumps(asdict(choice)) + "\n", encoding="utf-8")
    sync(path.parent)


def at_start(path: Path, find: Callable[[str], Path]) -> Path | None:
    """The engine for this start of the program; counts it, where one is on trial. Raises `OSError`."""
    choice = read(path)
    if choice.on_trial:
        choice = choice.back if choice.starts >= MOST_STARTS else _started_again(choice)
        write(path, choice)
    if choice.sha256 is None:
        return None
    try:
        return find(choice.sha256)
    except KioskError:
        if choice.on_trial:
            write(path, choice.back)
        return None


def _started_again(choice: Choice) -> Choice:
    return replace(choice, starts=choice.starts + 1)


class EngineTrial:
    """`use` has an engine used from now on, None for the settings' own; `find` knows where one lies by its SHA-256.

    Both raise a `KioskError` for what cannot be.
    """

    def __init__(
        self,
        path: Path,
        find: Callable[[str], Path],
        use: Callable[[Path | None], None],
        wellbeing: Callable[[], Wellbeing],
    ) -> None:
        self._path = path
        self._find = find
        self._use = use
        self._wellbeing = wellbeing
        self._choice = read(path)
        self._began: float | None = None
        self._well_since: float | None = None

    def knows(self, sha256: str | None, order: str) -> bool:
        """Whether an order's trial of this engine has begun."""
        choice = self._choice
        return (choice.on_trial and choice.sha256 == sha256) or choice.failed_for(sha256, order)

    def advance(self, sha256: str | None, now: float, *, order: str, idle: bool) -> Outcome | None:
        """On with an order for this engine; None until it is decided. It begins only while the machine is idle.

        Raises `KioskError` or `OSError` where it cannot even begin.
        """
        choice = self._choice
        if choice.failed_for(sha256, order):
            if not choice.order:  # as 0.2.0 left it: from now on it is this order's
                self._keep(replace(choice, order=order))
            return "rolled_back"
        if not choice.on_trial or choice.sha256 != sha256:
            if choice.sha256 == sha256:
                return "applied"
            if idle:
                self._begin(sha256, now, order)
            return None
        if self._began is None:  # by an earlier run of the program
            self._began = now
        return self._judged(now)

    def _begin(self, sha256: str | None, now: float, order: str) -> None:
        place = self._find(sha256) if sha256 else None
        before = self._choice
        self._keep(Choice(sha256, before.sha256, on_trial=True, starts=1, order=order))
        self._began, self._well_since = now, None
        try:
            self._use(place)
        except KioskError:
            self._keep(before)
            raise

    def _judged(self, now: float) -> Outcome | None:
        assert self._began is not None
        wellbeing = self._wellbeing()
        if wellbeing == "well":
            self._well_since = now if self._well_since is None else self._well_since
            if now - self._well_since >= STEADY_S:
                if self._is_still_there:
                    self._keep(Choice(self._choice.sha256))
                    return "applied"
                wellbeing = "unwell"
        else:
            self._well_since = None
        if wellbeing == "unwell" or now - self._began > WITHIN_S:
            self._keep(self._choice.back)
            self._use_again()
            return "rolled_back"
        return None

    @property
    def _is_still_there(self) -> bool:
        """Whether its file is what it was when the trial began: what ran well may have been another one since."""
        try:
            return self._choice.sha256 is None or bool(self._find(self._choice.sha256))
        except KioskError:
            return False

    def _use_again(self) -> None:
        """The engine that worked before; if that is gone by now, the settings' own."""
        sha256 = self._choice.sha256
        try:
            self._use(self._find(sha256) if sha256 else None)
        except KioskError:
            self._keep(replace(self._choice, sha256=None))
            self._use(None)

    def _keep(self, choice: Choice) -> None:
        write(self._path, choice)
        self._choice = choice
