"""What a machine has to know of its fleet, and the time as messages have it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from kiosk.fleet.mqtt import Broker


@dataclass(frozen=True)
class FleetSettings:
    """Where a machine reports to, as what, and what it lets itself be told."""

    broker: Broker
    machine: str
    prefix: str = "kiosk"
    health_every: float = 300.0
    """Seconds between two reports of a machine to which nothing happens."""
    limit: int = 10_000
    """Messages in the outbox."""
    orders_key: str = ""
    """The operator's public key; empty for no orders at all."""

    def topic(self, name: str, machine: str | None = None) -> str:
        """The whole topic."""
        return f"{self.prefix}/{machine or self.machine}/{name}"


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(timezone.utc)


def utc_text(moment: datetime) -> str:
    """As the journal writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
