"""An emulated dispenser board, exactly as docs/dispenser-protocol.md defines it.

It counts real turns and drops, whatever it reports. Only `stored` survives a loss of power.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections import Counter
from typing import Literal

MOST_VENDS = 8


def _frame(body: str) -> str:
    return f"{body}*{crc_hqx(body.encode(), 0xFFFF):04X}"


class Board:
    """A device for a `Wire`. The test ends a motor's turn with `drop`, `jam` or `miss`, and sets the time, `uptime`."""

    def __init__(self, motors: tuple[str, ...] = ("A1", "B1", "B2")) -> None:
        self.said: list[str] = []
        self.motors = motors
        self.stored: dict[str, str] = {}
        """The states of the latest vends. One that is TURNING at a start was interrupted by a loss of power."""
        self.refused: list[str] = []
        self.boots = 1
        self.uptime = 0
        self.health = "OK"
        self.mute = False
        self.default: Literal["wait", "drop", "jam"] = "wait"
        self.turned: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()

    def feed(self, line: str) -> None:
        body, _, _ = line.rpartition("*")
        if self.mute or _frame(body) != line:
            return
        match body.split(" "):
            case ["HELLO"]:
                self._log_once(f"BOARD 1 {self._boot} {self.uptime} {self.health} test-board")
            case ["LAST"] if self.stored:
                self._report(list(self.stored)[-1])
            case ["ASK", vend]:
                self._report(vend)
            case ["VEND", vend, motor, boot, deadline]:
                self._vend(vend, motor, boot, int(deadline))

    def drop(self) -> None:
        """Drops the product of the turning motor past the sensor."""
        if vend := self.turning:
            self.dropped[vend] += 1
            self._end(vend, "DROPPED")

    def jam(self) -> None:
        if self.turning:
            self._end(self.turning, "JAM")

    def miss(self) -> None:
        """Ends the turn without a drop."""
        if self.turning:
            self._end(self.turning, "NOTHING")

    def lose_power(self) -> None:
        self.stored = {vend: "UNSURE" if state == "TURNING" else state for vend, state in self.stored.items()}
        self.said.clear()
        self.refused.clear()
        self.boots += 1
        self.uptime = 0

    @property
    def turning(self) -> str | None:
        return next((vend for vend, state in self.stored.items() if state == "TURNING"), None)

    @property
    def _boot(self) -> str:
        return f"b{self.boots}"

    def _vend(self, vend: str, motor: str, boot: str, deadline: int) -> None:
        if vend not in self.stored and vend not in self.refused:
            is_late = boot != self._boot or self.uptime > deadline
            if is_late or self.turning or motor not in self.motors or self.health != "OK":
                self.refused = [*self.refused, vend][-MOST_VENDS:]
            else:
                self.stored = dict([*self.stored.items(), (vend, "TURNING")][-MOST_VENDS:])
                self.turned[vend] += 1
        self._report(vend)
        if self.default == "drop":
            self.drop()
        elif self.default == "jam":
            self.jam()

    def _end(self, vend: str, state: str) -> None:
        self.stored[vend] = state
        self._report(vend)

    def _report(self, vend: str) -> None:
        state = "REFUSED" if vend in self.refused else self.stored.get(vend, "UNKNOWN")
        self._log_once(f"STATE {vend} {state} {self._boot} {self.uptime}")

    def _log_once(self, body: str) -> None:
        self.said.append(_frame(body))
