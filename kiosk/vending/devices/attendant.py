"""An attendant who looks at the ID and types a PIN."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from kiosk.security.pin import Tries, check_hash, matches
from kiosk.vending.devices.protocols import IdConfirmed, IdMessage, WrongPin

Run = Callable[[Callable[[], bool]], "Future[bool]"]


class Attendant:
    """Confirms an ID by the PIN of `hash_`. The hash is computed beside the screen's thread, not in it.

    `tries` is the file that counts wrong tries. `run` is for tests, which need no thread. Raises `PinError` if `hash_`
    is none.
    """

    method = "pin"

    def __init__(self, hash_: str, tries: Path, run: Run | None = None) -> None:
        self._hash = check_hash(hash_)
        self._tries = Tries(tries)
        self._thread = ThreadPoolExecutor(1, "pin")  # which has no thread before its first work
        self._run = run or self._thread.submit
        self._sale: str | None = None
        self._entered: str | None = None
        self._looking: tuple[str, Future[bool]] | None = None

    def begin(self, sale: str, minimum_age: int) -> None:  # noqa: ARG002  an attendant reads the age on the screen
        """Waits for a PIN for this sale."""
        self._sale = sale

    def end(self, sale: str) -> None:
        """Forgets the sale, and what was typed for it."""
        if self._sale == sale:
            self._sale = self._entered = None

    def enter(self, pin: str) -> None:
        """A PIN as it was typed; ignored while one is looked at and while there is nobody to confirm."""
        if self._sale is not None and self._looking is None:
            self._entered = pin

    def wait_s(self, now: float) -> float:
        """Seconds until the next PIN is looked at; one entered before is dropped."""
        return self._tries.wait_s(now)

    def close(self) -> None:
        """Ends the thread."""
        self._thread.shutdown()

    def poll(self, now: float) -> Sequence[IdMessage]:
        """Looks at what was entered; answers for the sale that it was entered for, whatever came since."""
        answers: list[IdMessage] = []
        if self._looking and self._looking[1].done():
            (sale, right), self._looking = self._looking, None
            if right.result():
                with suppress(OSError):  # the count stays: a wait that nobody earned, after the next start
                    self._tries.succeeded()
                answers.append(IdConfirmed(sale, self.method))
            else:
                answers.append(WrongPin(sale, math.ceil(self._tries.wait_s(now))))
        if self._entered is not None and self._sale is not None:
            pin, self._entered = self._entered, None
            if self._tries.wait_s(now) <= 0:
                try:
                    self._tries.begin(now)
                except OSError:  # a try that cannot be counted is not made
                    answers.append(WrongPin(self._sale))
                else:
                    self._looking = self._sale, self._run(lambda: matches(pin, self._hash))
        return answers
