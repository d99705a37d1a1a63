"""Orders from afar: only the operator's, each once, for whom they are meant, and in time."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet.orders import (
    LONGEST_LIFE,
    OrderError,
    generate_key,
    load_private_key,
    load_public_key,
    new_order,
    open_envelope,
    sign,
)
from kiosk.fleet.outbox import Outbox
from kiosk.fleet.worker import Worker
from kiosk.security.file_permissions import SecretFileError
from tests.fakes.broker import Collector, until
from tests.fakes.fleet_operator import PRICE, Operator
from tests.fakes.fleet_rig import BEGIN, Machine


@pytest.fixture
def machine(tmp_path: Path, operator: Operator) -> Iterator[Machine]:
    """Returns a machine without a broker; `hear` hands it what a broker would deliver."""
    machine = Machine(tmp_path / "m-1", 1, orders_key=operator.public)
    machine.step()
    yield machine
    machine.close()


def results_in_outbox(machine: Machine) -> list[tuple[str, int, str]]:
    """Returns the results of orders in the outbox as (outcome, counter, reason)."""
    return [
        (row.data["outcome"], row.data["counter"], row.data["reason"])
        for row in machine.outbox.messages_after(0, 100)
        if row.topic == "result"
    ]


def hear(machine: Machine, envelope: bytes, topic: str = "kiosk/m-1/order") -> None:
    machine.worker._order_inbox.receive(topic, envelope)


# The envelope


def test_a_key_is_kept_where_nobody_else_can_read_it(tmp_path: Path, operator: Operator) -> None:
    path = tmp_path / "operator.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(SecretFileError, match="chmod 600"):
        load_private_key(path)
    assert load_public_key(operator.public)
    with pytest.raises(OrderError, match="not an Ed25519 public key"):
        load_public_key("c2hvcnQ=")


@pytest.mark.proves("theft-orders")
def test_only_what_the_operator_signed_is_an_order(operator: Operator) -> None:
    envelope = operator.envelope(1)
    key = operator.key.public_key()
    assert open_envelope(envelope, key) == operator.order(1)
    forged = json.loads(envelope)
    forged["order"] = forged["order"].replace("200", "100")
    for bad in (
        json.dumps(forged).encode(),
        sign(operator.order(1), Ed25519PrivateKey.generate()),
        b"",
        b"\xff",
        b"[]",
        b'{"order": "x", "signature": "!"}',
        b'{"order": "\\ud800", "signature": ""}',
        b"[" * 100_000,
    ):
        with pytest.raises(OrderError):
            open_envelope(bad, key)


def test_the_signature_is_of_the_text_with_its_purpose(operator: Operator) -> None:
    """docs/fleet.md documents the format, so that other programs can sign orders."""
    import base64

    text = (
        '{ "set": {"kind":"out_of_order", "on":true},  "machine":"all","counter":3,"expires":"2026-03-03T00:00:00Z" }'
    )
    signature = operator.key.sign(b"facialnet-kiosk order, version 1\n" + text.encode())
    envelope = json.dumps({"order": text, "signature": base64.b64encode(signature).decode()}).encode()
    assert open_envelope(envelope, operator.key.public_key()).counter == 3


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "price", "slot": "A1", "price": 0},
        {"kind": "price", "slot": "A1", "price": "200"},
        {"kind": "price", "slot": "A1"},
        {"kind": "out_of_order", "on": 1},
        {"kind": "engine", "sha256": "../../etc/passwd"},
        {"kind": "run", "command": "true"},
        {"kind": "price", "slot": "A1", "price": 200, "more": 1},
    ],
)
def test_an_invalid_order_is_refused(operator: Operator, change: dict[str, Any]) -> None:
    with pytest.raises(OrderError):
        operator.order(1, change=change)


def test_a_new_order_counts_by_the_time_and_lives_for_a_while(operator: Operator) -> None:
    first = new_order("all", PRICE, None, timedelta(days=1))
    assert first.counter > 1_700_000_000_000
    with pytest.raises(OrderError, match="90 days"):
        new_order("all", PRICE, None, timedelta(days=91))
    assert open_envelope(sign(first, operator.key), operator.key.public_key()) == first


# Acceptance


def test_an_order_is_accepted_once_and_outlives_the_program(machine: Machine, operator: Operator) -> None:
    envelope = operator.envelope(5)
    hear(machine, envelope)
    hear(machine, envelope)
    assert [order.counter for order in machine.worker._order_inbox.waiting] == [5]
    machine.crash()
    machine.start()
    machine.step()
    (order,) = machine.worker._order_inbox.waiting
    machine.worker.finish_order(order, "applied", "")
    assert results_in_outbox(machine) == [("applied", 5, "")]
    machine.crash()
    machine.start()
    machine.step()
    assert not machine.worker._order_inbox.waiting
    hear(machine, envelope)
    assert not machine.worker._order_inbox.waiting


@pytest.mark.proves("network-order")
def test_an_order_that_is_recorded_and_sent_again_does_nothing(machine: Machine, operator: Operator) -> None:
    for counter in (5, 6):
        hear(machine, operator.envelope(counter))
    hear(machine, operator.envelope(5))
    hear(machine, operator.envelope(1, "all"), "kiosk/all/order")  # everybody's orders are counted apart
    assert [(order.machine, order.counter) for order in machine.worker._order_inbox.waiting] == [
        ("m-1", 5),
        ("m-1", 6),
        ("all", 1),
    ]
    assert results_in_outbox(machine) == [("refused", 5, "its counter is not above 6, the last one accepted")]


@pytest.mark.proves("network-order")
@pytest.mark.parametrize("addressee", ["m-1", "all"])
def test_the_last_order_sent_again_is_not_carried_out_again(
    machine: Machine, operator: Operator, addressee: str
) -> None:
    """An MQTT broker may deliver twice: while the order waits, and after it was carried out."""
    envelope, topic = operator.envelope(6, addressee), f"kiosk/{addressee}/order"
    hear(machine, envelope, topic)
    hear(machine, envelope, topic)
    (order,) = machine.worker._order_inbox.waiting
    machine.worker.finish_order(order, "applied", "")
    machine.worker._order_inbox.waiting.clear()
    hear(machine, envelope, topic)
    assert not machine.worker._order_inbox.waiting
    assert machine.outbox.orders() == []
    assert results_in_outbox(machine) == [("applied", 6, "")]


def test_an_order_for_another_machine_is_refused(machine: Machine, operator: Operator) -> None:
    hear(machine, operator.envelope(1, "m-2"))
    hear(machine, operator.envelope(2), "kiosk/all/order")
    assert not machine.worker._order_inbox.waiting
    assert [reason for _, _, reason in results_in_outbox(machine)] == ["it is for m-2", "it is for m-1"]
    assert machine.outbox.counter("m-1") == 0


def test_an_expired_or_too_long_order_is_refused(machine: Machine, operator: Operator) -> None:
    hear(machine, operator.envelope(1, expires=BEGIN))
    hear(machine, operator.envelope(2, expires=BEGIN + LONGEST_LIFE + timedelta(days=1)))
    clock = "by this machine's clock of 2026-03-02 12:00"  # which may be what is wrong
    assert [reason for _, _, reason in results_in_outbox(machine)] == [
        f"it has expired, {clock}",
        f"it would be valid for more than 90 days, {clock}",
    ]
    assert not machine.worker._order_inbox.waiting


@pytest.mark.proves("network-stop")
@pytest.mark.parametrize("flood", ["junk", "an old order", "another machine's"])
def test_a_flood_of_invalid_messages_displaces_no_order(tmp_path: Path, operator: Operator, flood: str) -> None:
    machine = Machine(tmp_path / "m-1", 1, limit=100, orders_key=operator.public)
    machine.worker.put("error", {"fault": "terminal"})
    hear(machine, operator.envelope(6))
    payload = {"an old order": operator.envelope(5), "another machine's": operator.envelope(7, "m-2")}
    for _ in range(200):
        hear(machine, payload.get(flood, b"junk"))
    assert machine.outbox.waiting == 100
    assert machine.outbox.messages_after(0, 1)[0].topic == "error"
    machine.close()


def test_an_order_accepted_under_another_key_is_reported_and_dropped(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    machine.outbox.accept("m-1", 5, Operator(tmp_path / "new").envelope(5).decode())
    for _ in range(2):
        machine.crash()
        machine.start()
        machine.step()
    assert not machine.worker._order_inbox.waiting
    assert machine.outbox.orders() == []
    assert results_in_outbox(machine) == [
        ("refused", 5, "it can no longer be read: its signature is not the operator's")
    ]


def test_a_retained_order_comes_once(
    collector: Collector, operator: Operator, machines: Callable[..., Machine]
) -> None:
    collector.publish("kiosk/all/order", operator.envelope(1, "all"), retain=True)
    machine = machines(orders_key=operator.public)
    until(lambda: machine.worker._order_inbox.waiting, machine.step)
    hear(machine, operator.envelope(2, "all"), "kiosk/all/order")
    for _ in range(3):
        machine.crash()
        machine.start()
        until(lambda: machine.worker._link and machine.worker._link.subscribed, machine.step)
        collector.publish("kiosk/m-1/order", b'"junk"')  # which comes after what was retained
        until(lambda: results_in_outbox(machine) or collector.of("result"), machine.step, collector.poll)
    until(lambda: len(collector.of("result")) >= 3, machine.step, collector.poll)
    assert {data["reason"] for data in collector.of("result")} == {
        "it is not an envelope with an order and its signature"
    }


def test_orders_wait_for_a_machine_that_is_away(
    collector: Collector, operator: Operator, machines: Callable[..., Machine]
) -> None:
    machine = machines(orders_key=operator.public)
    until(lambda: collector.of("state"), machine.step, collector.poll)
    until(lambda: machine.worker._link and machine.worker._link.subscribed, machine.step)
    machine.crash()
    until(lambda: len(collector.of("state")) == 2, collector.poll)
    for counter in (1, 2, 3):
        collector.publish("kiosk/m-1/order", operator.envelope(counter))
    collector.publish("kiosk/all/order", operator.envelope(1, "all"))
    machine.start()
    until(lambda: len(machine.worker._order_inbox.waiting) == 4, machine.step)
    assert [order.counter for order in machine.worker._order_inbox.waiting if order.machine == "m-1"] == [1, 2, 3]
    machine.worker.finish_order(machine.worker._order_inbox.waiting[0], "applied", "")
    until(lambda: collector.of("result"), machine.step, collector.poll)
    assert collector.of("result")[0]["outcome"] == "applied"


def test_an_order_that_cannot_be_kept_is_not_acknowledged(
    collector: Collector, operator: Operator, machines: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = machines(orders_key=operator.public)
    until(lambda: machine.worker._link and machine.worker._link.subscribed, machine.step)
    with monkeypatch.context() as full:

        def accept(*_: object) -> None:
            raise OSError("the disk is full")

        full.setattr(Outbox, "accept", accept)
        collector.publish("kiosk/m-1/order", operator.envelope(1))
        until(lambda: machine.worker._link is None, machine.step)
    machine.after(60)
    until(lambda: machine.worker._order_inbox.waiting, machine.step, collector.poll)


def test_an_order_that_comes_at_the_end_and_cannot_be_kept_waits_at_the_broker(
    collector: Collector, operator: Operator, machines: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = machines(orders_key=operator.public)
    until(lambda: machine.worker._link and machine.worker._link.subscribed, machine.step)
    collector.publish("kiosk/m-1/order", operator.envelope(1))
    with monkeypatch.context() as full:

        def accept(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        full.setattr(Outbox, "accept", accept)
        machine.worker.end("failed")
        assert machine.worker._link is None
    machine.crash()
    machine.start()
    until(lambda: machine.worker._order_inbox.waiting, machine.step)


def test_without_a_key_nothing_is_ordered(collector: Collector, machines: Callable[..., Machine]) -> None:
    machine = machines()
    until(lambda: collector.of("state"), machine.step, collector.poll)
    assert isinstance(machine.worker, Worker)
    assert machine.worker._link is not None
    assert machine.worker._link.subscriptions == ()


def test_a_key_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "operator.pem"
    generate_key(path)
    text = path.read_bytes()
    path.write_bytes(text.replace(b"MC4CAQAwBQYDK2Vw", b"MC4CAQAwBQYDK2Vm"))  # 1.3.101.112 with another last number
    with pytest.raises(OrderError, match="is not a key of"):
        load_private_key(path)
