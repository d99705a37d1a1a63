"""Nonsense with a valid signature is refused or executed within limits, and answered once."""

from __future__ import annotations

import base64
import json
from collections import deque
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet import orders
from kiosk.fleet.order_inbox import MOST_ORDERS, OrderInbox
from kiosk.fleet.orders import LONGEST_LIFE, SetPrice, generate_key, load_private_key
from kiosk.fleet.outbox import Outbox
from tests.fakes.fleet_rig import fleet_config
from tests.fuzz.mutations import mutations
from tests.fuzz.structures import damage_json

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
MACHINES = ("m-1", "all")


def sign_text(text: str, key: Ed25519PrivateKey) -> bytes:
    """Signs any text, as `kiosk.fleet.orders` signs an order."""
    signature = key.sign(orders._PURPOSE + text.encode())
    return json.dumps({"order": text, "signature": base64.b64encode(signature).decode()}).encode()


def test_signed_nonsense_is_refused_or_within_bounds(tmp_path: Path) -> None:
    orders_key = generate_key(tmp_path / "operator.pem")
    key = load_private_key(tmp_path / "operator.pem")
    config = fleet_config(orders_key=orders_key)
    change = {"kind": "price", "slot": "A1", "price": 200}
    expires = (NOW + timedelta(days=7)).isoformat()
    sample = json.dumps({"machine": "m-1", "counter": 7, "expires": expires, "set": change}).encode()
    taken = refused = 0
    with closing(Outbox(tmp_path / "fleet.db", 100)) as outbox:
        gate = OrderInbox(config, outbox, deque(), lambda: NOW)
        for number, said in enumerate(mutations(sample, within=damage_json), 1):
            random = Random(number)
            said = said.replace(b'"counter": 7', f'"counter": {7 + number}'.encode())  # else the counter would be old
            before = (len(gate.waiting), outbox.waiting, outbox.dropped)
            gate.receive(f"kiosk/{random.choice(MACHINES)}/order", sign_text(said.decode("utf-8", "replace"), key))
            if len(gate.waiting) > before[0]:
                taken += 1
                newest = gate.waiting.pop()
                assert newest.machine in MACHINES
                assert NOW < newest.expires <= NOW + LONGEST_LIFE
                assert not isinstance(newest.set, SetPrice) or 1 <= newest.set.price <= 10_000_000
                gate.finish(newest, "applied", "")
            elif (outbox.waiting, outbox.dropped) != before[1:]:
                refused += 1
        assert taken
        assert refused
        assert outbox.waiting <= 100
        assert outbox.orders() == []
        assert len(gate.waiting) <= MOST_ORDERS
        for message in outbox.messages_after(0, 1000):
            assert message.data["outcome"] in ("applied", "refused")
