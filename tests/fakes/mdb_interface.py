"""An emulated MDB interface by Qibixx with a cashless reader, by the maker's documentation and MDB/ICP 4.3.

`vends` holds what was really charged, whatever came over the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass
class Vend:
    """A VEND REQUEST and its end, in the reader."""

    amount: Decimal
    approved: bool = False
    end: Literal["success", "failure", "not refunded", "cancelled", "denied", "reset", "timed out"] | None = None

    @property
    def charged(self) -> bool:
        """Whether the customer pays: after the vend's success, or after a refund that failed."""
        return self.end in ("success", "not refunded")


class MdbInterface:
    """A device for a `Wire`. Its methods are what the reader does by itself."""

    def __init__(self, *, always_idle: bool = True, currency: int = 1978, scale: int = 1, decimals: int = 2) -> None:
        self.said: list[str] = []
        self.state = "OFF"
        self.always_idle = always_idle
        self.setup = f"3,{currency},{scale},{decimals},30,8"
        self.names_mode = True
        self.default: Literal["wait", "approve", "deny"] = "wait"
        self.ignores_cancel = False
        self.refuses = False
        """Whether it refuses every request."""
        self.is_slow = False
        """Whether a request reaches the bus only after the next status query."""
        self.ends_late = False
        """Whether the reader delays the end of a session, while the interface keeps its state."""
        self.refund_fails = False
        """Whether the reader reports a malfunction after a vend's failure and cannot return the money."""
        self._waiting: str | None = None
        """A command that has not reached the bus yet."""
        self.has_reader = True
        self.mute = False
        """Whether the interface hangs."""
        self.vends: list[Vend] = []

    def feed(self, line: str) -> None:
        if self.mute:
            return
        match line.split(","):
            case ["V"]:
                self.said.append("v,4.0.2.0")
            case ["D", "STATUS"]:
                self.said.append(self._status(asked=True))
                if self.is_slow and self._waiting:
                    self._reaches_bus()
            case ["D", "0"]:
                self._reset_reader()
                self._go("OFF")
            case ["D", "1" | "2"] if self.state == "OFF":
                self._reset_reader()
                self._go("RESET")
                if self.has_reader:
                    self._go("INIT")
            case ["D", "1" | "2"]:
                self.said.append('D,ERR,"cashless master is on"')
            case ["D", "READER", "1"] if self.state == "INIT":
                self._go("IDLE")
            case ["D", "REQ", "-1"] if self.state == "VEND":
                if not self.ignores_cancel:
                    self._end("cancelled")
            case ["D", "REQ", amount, _] if self._can_be_asked and re.fullmatch(r"\d+(\.\d+)?", amount):
                self._waiting = amount
                if not self.is_slow:
                    self._reaches_bus()
            case ["D", "END"] | ["D", "END", "1"] if self._is_approved and not self.vends[-1].end:
                self.vends[-1].end = "success"
                if not self.ends_late:
                    self._go("IDLE")
            case ["D", "END", "-1"] if self.state == "RESULT" and self.refund_fails:
                self.said.append('d,ERR,"malfunction"')
                self._end("not refunded")
            case ["D", "END", "-1"] if self.state == "RESULT":
                self._end("failure")
            case _:
                self.said.append('d,ERR,"-1"')

    def approve(self, amount: Decimal | None = None) -> None:
        """Approves the card."""
        if self.state == "VEND":
            vend = self.vends[-1]
            vend.approved, vend.amount = True, amount or vend.amount
            self._go("RESULT")

    def deny(self, *, lingers: bool = True) -> None:
        """Denies the card. `lingers`: whether the interface waits for the command that ends the session."""
        if self.state == "VEND":
            self.vends[-1].end = "denied"
            self._go("RESULT")
            if not lingers:
                self._go("IDLE")

    def take_back(self) -> None:
        """Withdraws an approval."""
        if self._is_approved and not self.vends[-1].end:
            self.vends[-1].end = "timed out"
            self._go("RESULT")

    def end_now(self) -> None:
        """Ends a session that `ends_late` delayed."""
        self.ends_late = False
        if self.state == "RESULT" and self.vends[-1].end == "success":
            self._go("IDLE")

    def give_up(self) -> None:
        """Lets the reader's own timeout end the session."""
        if self.state in ("VEND", "RESULT", "CREDIT"):
            self._end("timed out")

    def show_card(self) -> None:
        """Presents a card before a request."""
        if self.state == "IDLE":
            self._go("CREDIT")

    def lose_power(self) -> None:
        """Cuts the power of the interface and of the reader on its bus."""
        self._reset_reader()
        self.said.clear()
        self.state = "OFF"

    def unplug_reader(self) -> None:
        """Disconnects the reader from the bus."""
        self.has_reader = False
        self._reset_reader()
        if self.state != "OFF":
            self._go("RESET")

    def plug_reader(self) -> None:
        self.has_reader = True
        if self.state == "RESET":
            self._go("INIT")

    @property
    def charged(self) -> Decimal:
        return sum((vend.amount for vend in self.vends if vend.charged), Decimal())

    @property
    def open(self) -> Vend | None:
        """The vend that has not ended."""
        return self.vends[-1] if self.vends and self.vends[-1].end is None else None

    @property
    def _can_be_asked(self) -> bool:
        is_ready = self.state == ("IDLE" if self.always_idle else "CREDIT")
        return is_ready and not self.refuses and self._waiting is None

    @property
    def _is_approved(self) -> bool:
        return self.state == "RESULT" and self.vends[-1].approved and self.vends[-1].end in (None, "success")

    def _reaches_bus(self) -> None:
        assert self._waiting is not None
        self.vends.append(Vend(Decimal(self._waiting)))
        self._waiting = None
        self._go("VEND")
        if self.default == "approve":
            self.approve()
        elif self.default == "deny":
            self.deny()

    def _reset_reader(self) -> None:
        self._waiting = None
        if self.open:
            self.open.end = "reset"

    def _end(self, end: Literal["failure", "not refunded", "cancelled", "timed out"]) -> None:
        if self.open:
            self.open.end = end
        self._go("IDLE")

    def _go(self, state: str) -> None:
        self.state = state
        self.said.append(self._status())

    def _status(self, *, asked: bool = False) -> str:
        words = ["d", "STATUS", self.state]
        match self.state:
            case "INIT":
                words.append(str(int(self.always_idle)))
            case "CREDIT":
                words.append("-1")
            case "RESULT":
                words += ["1", f"{self.vends[-1].amount:.2f}"] if self._is_approved else ["-1"]
        if asked and self.state not in ("OFF", "RESET"):
            words += ["#", self.setup]
            if self.names_mode:
                words.append("2" if self.always_idle else "1")
        return ",".join(words)
