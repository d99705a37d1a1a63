"""What a broker does that is broken, small, overloaded or taken over: nothing is lost, and the log says it once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.fleet.delivery import ANSWER_WITHIN_S, FLIGHT
from kiosk.fleet.messages import SlotStatus
from kiosk.fleet.mqtt import Link, LinkError
from tests.fakes.bad_broker import LARGEST_THERE_IS, TAKEN_OVER, BadBroker
from tests.fakes.broker import Broker, Collector, until
from tests.fakes.fleet_rig import Machine, fleet_config, status


@pytest.fixture
def machine_at(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Returns a function that makes a machine reporting to a port."""
    made: list[Machine] = []

    def make(port: int, **settings: Any) -> Machine:
        made.append(Machine(tmp_path / f"machine-{len(made)}", port, **settings))
        return made[-1]

    yield make
    for machine in made:
        machine.close()


@pytest.mark.proves("network-stop")
def test_a_packet_that_is_too_large_ends_the_connection_when_it_begins() -> None:
    with BadBroker(answers=None, greeting=LARGEST_THERE_IS) as broker:
        link = Link(fleet_config(broker.port), ("kiosk/m-1/state", b"{}"))
        with pytest.raises(LinkError, match="a packet of 268435455 bytes, where 16384 are allowed"):
            talk(link)
        link.abandon()


def talk(link: Link) -> None:
    link.open()
    for _ in range(20):
        link.poll()


def test_a_broker_says_that_a_name_is_taken() -> None:
    with BadBroker(answers=None, greeting=TAKEN_OVER) as broker:
        link = Link(fleet_config(broker.port), ("kiosk/m-1/state", b"{}"))
        with pytest.raises(LinkError, match="another machine is also called m-1: give each its own name"):
            talk(link)
        link.abandon()


def test_a_broker_keeps_back_what_is_too_large(broker: Broker, collector: Collector) -> None:
    heard: list[bytes] = []
    link = Link(
        fleet_config(broker.port),
        ("kiosk/m-1/state", b"{}"),
        ("kiosk/m-1/order",),
        lambda _topic, payload: heard.append(payload),
    )
    link.open()
    until(lambda: link.subscribed, link.poll)
    collector.publish("kiosk/m-1/order", b'"' + b"x" * 20_000 + b'"')
    collector.publish("kiosk/m-1/order", b'"small"')
    until(lambda: heard, link.poll)
    assert heard == [b'"small"']
    link.close()


def test_the_machine_disconnects_from_a_broker_that_acknowledges_nothing(
    machine_at: Callable[..., Machine], caplog: pytest.LogCaptureFixture
) -> None:
    with BadBroker(answers=None) as broker:
        machine = machine_at(broker.port)
        machine.tell(status())
        until(lambda: broker.connections, machine.step)
        machine.step()
        machine.after(ANSWER_WITHIN_S + 1)
        assert "127.0.0.1 acknowledges no message" in caplog.text
        assert machine.outbox.waiting == 2
        machine.after(90)
        assert broker.connections == 2


def test_a_broker_that_hangs_up_after_each_message_hears_all_in_order_and_is_not_stormed(
    machine_at: Callable[..., Machine], caplog: pytest.LogCaptureFixture
) -> None:
    with BadBroker(answers=2) as broker:  # the state, and one more
        machine = machine_at(broker.port, health_every=86_400)
        for count in range(6):
            machine.tell(status(count=count))
        began = machine.now
        until(lambda: broker.heard and not machine.outbox.waiting, lambda: machine.after(20))
        told = [json.loads(body[body.index(b"{") :]) for body in broker.heard]
        numbers = [each["seq"] for each in told if "seq" in each]
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(1, 8))  # health once, stock six times
        assert broker.connections < (machine.now - began) / 10
        assert len(caplog.records) < 4


def test_two_machines_with_one_name_back_off_and_log_it(
    broker: Broker, machine_at: Callable[..., Machine], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = machine_at(broker.port), machine_at(broker.port)
    lost = 0
    for _ in range(100):
        for machine in (one, other):
            had = machine.worker._link
            machine.after(1)
            lost += had is not None and machine.worker._link is None
    assert 0 < lost < 20
    assert "check whether another machine is also called m-1" in caplog.text
    assert len(caplog.records) < 8


@pytest.fixture
def small_broker(tmp_path: Path) -> Iterator[Broker]:
    """Returns a broker that takes one message at a time, and packets of up to a kilobyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    broker = Broker(folder, "allow_anonymous true", "max_inflight_messages 1", "max_packet_size 1000")
    broker.start()
    yield broker
    broker.stop()


def test_a_broker_that_takes_little_at_a_time_gets_no_more(
    small_broker: Broker, machine_at: Callable[..., Machine], caplog: pytest.LogCaptureFixture
) -> None:
    collector = Collector(small_broker.port)
    collector.connect()
    machine = machine_at(small_broker.port)
    machine.tell(status(slots=tuple(SlotStatus(f"A{row}", 5, 8, 0, False, 180) for row in range(20))))
    sold = [machine.sell() for _ in range(20)]
    until(lambda: len(collector.of("sale")) == 20, machine.step, collector.poll)
    assert [data["sale"] for data in collector.of("sale")] == sold
    assert machine.worker._link is not None  # nothing that it was told made it hang up
    until(lambda: "the broker takes no packet of" in caplog.text, machine.step)
    assert machine.outbox.waiting == 2  # the stock of twenty slots is too large, and health comes after it
    collector.close()


def test_no_more_is_under_way_than_a_slow_line_carries_between_two_pings(
    broker: Broker, collector: Collector, machine_at: Callable[..., Machine]
) -> None:
    machine = machine_at(broker.port)
    slots = tuple(SlotStatus(f"A{row}", 5, 8, 0, False, 180) for row in range(60))
    for count in range(20):
        machine.tell(status(slots=(*slots, SlotStatus("B1", count, 99, 0, False, 180))))
    under_way = 0

    def look() -> None:
        nonlocal under_way
        machine.step()
        delivery = machine.worker._of_outbox
        if delivery:
            sizes = [len(message.payload) for message, _ in delivery._in_flight]
            under_way = max(under_way, sum(sizes) if len(sizes) > 1 else 0)

    until(lambda: len(collector.of("stock")) == 20, look, collector.poll)
    assert under_way <= FLIGHT
    assert [data["slots"][-1]["count"] for data in collector.of("stock")] == list(range(20))
