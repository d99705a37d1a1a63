"""With damaged orders, keys and MQTT packets, a machine executes only what the operator signed."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kiosk.common.errors import KioskError
from kiosk.fleet.mqtt import Link, LinkError, check_files
from kiosk.fleet.order_inbox import OrderInbox
from kiosk.fleet.orders import (
    Order,
    OrderError,
    load_private_key,
    load_public_key,
    open_envelope,
    parse_order,
)
from kiosk.fleet.outbox import Outbox
from tests.fakes.fleet_operator import Operator
from tests.fakes.fleet_rig import fleet_config
from tests.fleet.test_mqtt import Authority
from tests.fuzz.mutations import mutations
from tests.fuzz.structures import damage_json, damage_packets


@pytest.fixture
def order(operator: Operator) -> Order:
    return operator.order(7)


def clock_of(order: Order) -> Callable[[], datetime]:
    """Returns a clock that stands at a time when the order is valid."""
    return lambda: order.expires - timedelta(days=1)


def test_a_damaged_envelope_is_refused_or_says_what_was_signed(operator: Operator, order: Order) -> None:
    refusals: list[str] = []
    for damaged in mutations(operator.envelope(7), within=damage_json):
        try:
            assert open_envelope(damaged, operator.key.public_key()) == order
        except OrderError as error:
            refusals.append(str(error))
    assert refusals
    assert not any("\n" in refusal for refusal in refusals)


def test_the_text_of_an_order_is_read_or_refused(order: Order) -> None:
    for damaged in mutations(order.model_dump_json().encode(), within=damage_json):
        with suppress(OrderError):
            parse_order(damaged.decode("utf-8", "replace")).check_time(order.expires)


@pytest.mark.proves("network-order")
def test_a_machine_carries_out_no_damaged_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operator: Operator, order: Order
) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)
    config = fleet_config(orders_key=operator.public)
    with closing(Outbox(tmp_path / "fleet.db", 100)) as outbox:
        gate = OrderInbox(config, outbox, deque(), clock_of(order))
        for damaged in mutations(operator.envelope(7), within=damage_json):
            gate.receive("kiosk/m-1/order", damaged)
            assert all(waiting == order for waiting in gate.waiting)
        assert len(gate.waiting) <= 1
        assert outbox.waiting <= 100


@pytest.mark.parametrize("accepted", ["changed", "never signed"])
def test_an_order_that_was_put_into_the_outbox_is_not_carried_out(
    tmp_path: Path, operator: Operator, order: Order, accepted: str
) -> None:
    config = fleet_config(orders_key=operator.public)
    envelope = operator.envelope(7)
    with closing(Outbox(tmp_path / "fleet.db", 100)) as outbox:
        gate = OrderInbox(config, outbox, deque(), clock_of(order))
        gate.receive("kiosk/m-1/order", envelope)
        assert list(gate.waiting) == [order]
        gate.reload()
        assert list(gate.waiting) == [order]
        put_in = order.model_dump_json() if accepted == "never signed" else envelope.decode().replace("200", "100")
        outbox._database.execute("UPDATE orders SET data = ?", (put_in,))
        gate.reload()
        assert not gate.waiting


@pytest.mark.parametrize("name", ["operator.pem", "public key", "password"])
def test_damaged_keys_are_read_or_refused(operator: Operator, name: str) -> None:
    path = operator.path
    sample = {"public key": operator.public.encode(), "password": b"horse battery staple\n"}.get(
        name, path.read_bytes()
    )
    refusals: list[str] = []
    for damaged in mutations(sample):
        path.write_bytes(damaged)
        try:
            if name == "public key":
                load_public_key(damaged.decode("utf-8", "replace"))
            elif name == "password":
                check_files(fleet_config(user="m-1", password=str(path)))
            else:
                load_private_key(path)
        except KioskError as error:
            refusals.append(str(error))
    assert refusals
    assert not any("\n" in refusal for refusal in refusals)


def test_damaged_certificates_are_read_or_refused(tmp_path: Path) -> None:
    path = Authority(tmp_path, "fleet").path
    refusals: list[str] = []
    for damaged in mutations(path.read_bytes()):
        path.write_bytes(damaged)
        try:
            check_files(fleet_config(tls=True, ca=str(path)))
        except KioskError as error:
            refusals.append(str(error))
    assert refusals
    assert not any("\n" in refusal for refusal in refusals)


CONNACK = b"\x20\x06\x00\x00\x03\x21\x00\x14"
SUBACK = b"\x90\x04\x00\x01\x00\x01"
PING = b"\xd0\x00"


def publish(topic: bytes, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + b"\x00\x01" + b"\x00" + payload
    length = bytes([len(body) % 128 | 0x80, len(body) // 128])
    return b"\x32" + length + body


@pytest.mark.proves("network-stop")
def test_damaged_packets_of_a_broker_at_most_end_the_connection(operator: Operator, order: Order) -> None:
    said = CONNACK + SUBACK + publish(b"kiosk/m-1/order", operator.envelope(7)) + PING
    for damaged in mutations(said, within=damage_packets):
        heard: list[bytes] = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            link = Link(
                fleet_config(server.getsockname()[1]),
                ("kiosk/m-1/state", b"{}"),
                ("kiosk/m-1/order",),
                lambda _topic, payload: heard.append(payload),  # noqa: B023
            )
            with suppress(KioskError):
                listen(link, server, damaged)
        for payload in heard:
            with suppress(OrderError):
                assert open_envelope(payload, operator.key.public_key()) == order


@pytest.mark.proves("network-stop")
def test_a_topic_that_is_not_utf8_at_most_ends_the_connection() -> None:
    """The MQTT library raises an undocumented exception for it."""
    topic = b"\xff\xfe"
    said = CONNACK + b"\x32\x09\x00\x02" + topic + b"\x00\x01\x00ab"
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = Link(fleet_config(server.getsockname()[1]), ("kiosk/m-1/state", b"{}"), ("kiosk/m-1/order",))
        with pytest.raises(LinkError, match="sent a malformed MQTT 5 packet"):
            listen(link, server, said)


def listen(link: Link, server: socket.socket, said: bytes) -> None:
    """Connects to a server that sends `said` and closes the connection."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):  # the client may close first
            connection.recv(4096)
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        link.open()
        for _ in range(20):
            link.poll()
    finally:
        link.abandon()
        thread.join()
