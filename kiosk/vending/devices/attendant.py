"""An ID verifier for an attendant, who looks at the ID and confirms it with a PIN."""

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
    """Confirms an ID if the PIN matches `hash_`. A thread computes the hash, so that the screen does not wait.

    `tries` is the file that counts wrong PINs. Tests may pass `run` to do without the thread. Raises `PinError` if
    `hash_` is invalid.
    """

    method = "pin"

    def __init__(self, hash_: str, tries: Path, run: Run | None = None) -> None:
        self._hash = check_hash(hash_)
        self._tries = Tries(tries)
        self._executor = ThreadPoolExecutor(1, "pin")  # starts its thread with the first PIN
        self._run = run or self._executor.submit
        self._sale: str | None = None
        self._entered: str | None = None
        self._pending: tuple[str, Future[bool]] | None = None

    def begin(self, sale: str, minimum_age: int) -> None:  # noqa: ARG002  the screen shows the age to the attendant
        """Waits for a PIN for this sale."""
        self._sale = sale

    def end(self, sale: str) -> None:
        """Forgets the sale, and a PIN that was typed for it."""
        if self._sale == sale:
            self._sale = self._entered = None

    def enter(self, pin: str) -> None:
        """Takes a PIN as typed. Ignored while another one is checked and while no sale waits."""
        if self._sale is not None and self._pending is None:
            self._entered = pin

    def wait_s(self, now: float) -> float:
        """Returns the seconds until a PIN is accepted again. A PIN that was entered before is dropped."""
        return self._tries.wait_s(now)

    def close(self) -> None:
        """Ends the thread."""
        self._executor.shutdown()

    def poll(self, now: float) -> Sequence[IdMessage]:
        """Checks an entered PIN, and returns the answers, each for the sale that the PIN was entered for."""
        answers: list[IdMessage] = []
        if self._pending and self._pending[1].done():
            (sale, is_right), self._pending = self._pending, None
            if is_right.result():
                with suppress(OSError):  # the count stays, and only causes a needless wait after the next start
                    self._tries.succeeded()
                answers.append(IdConfirmed(sale, self.method))
            else:
                answers.append(WrongPin(sale, math.ceil(self._tries.wait_s(now))))
        if self._entered is not None and self._sale is not None:
            pin, self._entered = self._entered, None
            if self._tries.wait_s(now) <= 0:
                try:
                    self._tries.begin(now)
                except OSError:  # a PIN that cannot be counted is not checked
                    answers.append(WrongPin(self._sale))
                else:
                    self._pending = self._sale, self._run(lambda: matches(pin, self._hash))
        return answers
