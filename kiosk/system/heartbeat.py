"""Whether everything that a machine needs is alive, from the last sign that each part gave.

A part in trouble that says so is alive: the sale is out of order, the vision process is being replaced. What the
heartbeat finds is the part that nobody hears of any more, which only a fresh start can help.
"""

from __future__ import annotations

from collections.abc import Mapping


class Heartbeat:
    """The parts of a machine, and how long each may be silent, in seconds."""

    def __init__(self, patience: Mapping[str, float], now: float) -> None:
        self._patience = dict(patience)
        self._last = dict.fromkeys(patience, now)

    def beat(self, part: str, now: float) -> None:
        """`part` gave a sign at `now`, in seconds of a monotonic clock. Raises `KeyError` for a part unknown."""
        self._last[part] = max(self._last[part], now)

    def silent(self, now: float) -> tuple[str, ...]:
        """The parts that were not heard of for too long."""
        return tuple(part for part, last in self._last.items() if now - last > self._patience[part])
