"""Who looks at an ID, where the age check does not settle it: an attendant with a PIN, a reader, or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Union


@dataclass(frozen=True)
class IdConfirmed:
    """The customer of this sale was found old enough. `method` is the verifier's."""

    sale: str
    method: str


@dataclass(frozen=True)
class IdRefused:
    """The customer of this sale was not found old enough."""

    sale: str
    method: str


@dataclass(frozen=True)
class WrongPin:
    """An attendant's PIN was not right; nothing is decided."""

    sale: str
    locked_s: int = 0
    """Whole seconds until the next one is looked at."""


IdMessage = Union[IdConfirmed, IdRefused, WrongPin]  # noqa: UP007


class IdVerifier(Protocol):
    """One way to have an ID looked at. No method waits or raises."""

    @property
    def method(self) -> str:
        """`pin`, `reader`: what the screen offers."""

    def begin(self, sale: str, minimum_age: int) -> None:
        """A customer of at least `minimum_age` years is wanted, for this sale alone."""

    def end(self, sale: str) -> None:
        """Nobody waits for an answer any more."""

    def close(self) -> None:
        """Lets go of the device; nothing is asked of it any more."""

    def poll(self, now: float) -> Sequence[IdMessage]:
        """What was found since the last call. `now`: seconds of a monotonic clock."""


class PinVerifier(IdVerifier, Protocol):
    """A verifier that wants a PIN from the screen."""

    def enter(self, pin: str) -> None:
        """A PIN as it was typed, for the sale that began last."""

    def wait_s(self, now: float) -> float:
        """Seconds until the next PIN is looked at; 0 if at once."""
