"""Who has the key that orders are signed by, for tests."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.fleet.orders import Order, generate_key, load_private_key, parse_order, sign
from tests.fakes.fleet_rig import BEGIN

PRICE = {"kind": "price", "slot": "A1", "price": 200}


class Operator:
    """Keeps the key in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "operator.pem"
        self.public = generate_key(self.path)
        self.key = load_private_key(self.path)

    def order(
        self, counter: int, machine: str = "m-1", change: dict[str, Any] = PRICE, expires: datetime | None = None
    ) -> Order:
        expires = expires or BEGIN + timedelta(days=7)
        return parse_order(
            json.dumps({"machine": machine, "counter": counter, "expires": expires.isoformat(), "set": change})
        )

    def envelope(self, *args: Any, **more: Any) -> bytes:
        return sign(self.order(*args, **more), self.key)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """The operator of a fleet, with a new key. Import this fixture in a conftest.py."""
    return Operator(tmp_path)
