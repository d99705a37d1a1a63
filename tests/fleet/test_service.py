"""A machine and a real broker: every event once, in order, whatever is down or dies; and the outbox bounded."""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.fleet.delivery import HELD_S, WINDOW
from kiosk.fleet.outbox import Outbox
from kiosk.fleet.service import INBOX, Fleet
from kiosk.vending.journal import Journal
from kiosk.vending.journal.facts import PriceSet, VendFailed
from tests.fakes.broker import Broker, Collector, until
from tests.fakes.fleet_operator import Operator
from tests.fakes.fleet_rig import Machine, fleet_config, status

Machines = Callable[..., Machine]

BROKERS_WINDOW = 20
"""What Mosquitto has in flight to a collector."""


def sales(collector: Collector) -> list[str]:
    return [data["sale"] for data in collector.once() if data["kind"] == "sale"]


def assert_in_order(collector: Collector) -> None:
    """Asserts that the messages of every stream first arrived in order."""
    for stream in {data["stream"] for data in collector.once()}:
        numbers = [data["seq"] for data in collector.once() if data["stream"] == stream]
        assert numbers == sorted(numbers)


def test_a_broker_that_is_down_for_a_week_hears_every_event_once_and_in_order(
    broker: Broker, collector: Collector, machines: Machines
) -> None:
    machine = machines(limit=300)
    machine.tell(status())
    sold = [machine.sell()]
    until(lambda: sales(collector) == sold, machine.step, collector.poll)
    until(lambda: machine.outbox.cursor(machine.journal.id) == 5, machine.step)  # so that nothing is in flight
    collector.close()
    broker.stop()
    sizes = []
    for hour in range(7 * 24):
        machine.tell(status(count=hour % 8, faults=("terminal",) if hour % 24 == 5 else ()))
        if hour % 2:
            sold.append(machine.sell())
        for _ in range(4):
            machine.after(900)
        sizes.append(sum(file.stat().st_size for file in machine.folder.glob("fleet.db*")))
        assert machine.outbox.waiting <= 300
    assert machine.outbox.dropped > 300  # health and stock, of which the newest are worth most
    assert max(sizes) < 1_000_000
    assert max(sizes[-48:]) <= max(sizes[:-48]) * 1.02  # it has stopped growing
    broker.start()
    collector.connect()
    machine.after(120)
    until(lambda: sales(collector)[-1] == sold[-1] and not machine.outbox.waiting, machine.step, collector.poll)
    last = machine.outbox.dropped
    until(lambda: last - 1 <= collector.of("health")[-1]["dropped"] <= last, collector.poll)
    assert sales(collector) == sold
    # QoS 1 may bring one twice, as when a collector goes before it has acknowledged: stream and number tell.
    said = [json.dumps(data, sort_keys=True) for data in collector.of("sale")]
    assert len(set(said)) == len(sold)
    assert len(said) <= len(sold) + 2
    assert_in_order(collector)
    faults = [data["present"] for data in collector.of("error")]
    assert faults == [True, False] * 7


def test_a_sale_is_reported(collector: Collector, machines: Machines) -> None:
    machine = machines()
    sale = machine.sell()
    until(lambda: sales(collector), machine.step, collector.poll)
    (topic, said) = next(each for each in collector.heard if each[0].endswith("sale"))
    assert topic == "kiosk/m-1/sale"
    utc = said.pop("utc")
    assert utc.endswith("Z")
    assert said == {
        "v": 1, "machine": "m-1", "stream": machine.journal.id, "seq": 5, "kind": "sale", "sale": sale, "slot": "A1",
        "product": "Water", "price": 180, "currency": "EUR", "test": False, "outcome": "sold",
    }  # fmt: skip


def test_actions_of_operator_and_dispenser_are_reported(collector: Collector, machines: Machines) -> None:
    machine = machines()
    machine.journal.append(PriceSet("A1", 200, 180, "EUR"))
    machine.journal.append(VendFailed("x-1", "A1", "jam"))
    until(lambda: collector.of("error"), machine.step, collector.poll)
    assert collector.of("change")[0]["price"] == 200
    assert collector.of("error")[0]["reason"] == "jam"


def test_a_broker_that_dies_in_the_middle_loses_nothing(
    broker: Broker, collector: Collector, machines: Machines
) -> None:
    machine = machines()
    sold = [machine.sell() for _ in range(60)]
    until(lambda: len(sales(collector)) > 10, machine.step, collector.poll)
    assert len(sales(collector)) < 60
    broker.stop()  # an orderly end, so that the collector's session is there afterwards
    machine.step()
    broker.start()
    collector.connect()
    machine.after(120)
    until(lambda: len(sales(collector)) == 60, machine.step, collector.poll)
    assert sales(collector) == sold
    assert_in_order(collector)
    assert len(collector.of("sale")) <= 60 + WINDOW + BROKERS_WINDOW  # only what was in flight, here and there


def test_a_broker_that_is_killed_hears_again_what_it_had_not_acknowledged(
    broker: Broker, collector: Collector, machines: Machines
) -> None:
    """A broker loses what it acknowledged but did not save; docs/fleet.md says how to make it save."""
    machine = machines()
    sold = [machine.sell() for _ in range(60)]
    until(lambda: len(sales(collector)) > 10, machine.step, collector.poll)
    collector.close()
    broker.stop(kill=True)
    acknowledged = machine.outbox.cursor(machine.journal.id) // 5
    until(lambda: machine.worker._link is None, machine.step)
    broker.start()
    collector.connect()
    machine.after(120)
    until(lambda: sales(collector)[-1] == sold[-1], machine.step, collector.poll)
    assert_in_order(collector)
    assert set(sold[acknowledged:]) <= set(sales(collector))
    assert len(collector.of("sale")) <= 60 + WINDOW + BROKERS_WINDOW


def test_a_machine_that_dies_in_the_middle_loses_nothing(collector: Collector, machines: Machines) -> None:
    machine = machines()
    sold = [machine.sell() for _ in range(60)]
    for count in (5, 25, 45):
        until(lambda: len(sales(collector)) > count, machine.step, collector.poll)  # noqa: B023
        machine.crash()
        machine.start()
    until(lambda: len(sales(collector)) == 60, machine.step, collector.poll)
    assert sales(collector) == sold
    assert_in_order(collector)
    assert len(collector.of("sale")) <= 60 + 3 * WINDOW


def test_a_sale_waits_for_somebody_to_listen(
    broker: Broker, machines: Machines, caplog: pytest.LogCaptureFixture
) -> None:
    machine = machines()
    sold = [machine.sell() for _ in range(3)]
    until(lambda: "sales wait until somebody subscribes" in caplog.text, machine.step)
    assert machine.outbox.cursor(machine.journal.id) < 5
    collector = Collector(broker.port)
    collector.connect()
    machine.after(HELD_S)
    until(lambda: len(sales(collector)) == 3, machine.step, collector.poll)
    assert sales(collector) == sold
    assert len(collector.of("sale")) == 3
    collector.close()


def test_the_machine_reports_online_and_the_broker_reports_it_offline(
    broker: Broker, collector: Collector, machines: Machines
) -> None:
    machine = machines()
    until(lambda: collector.of("state"), machine.step, collector.poll)
    machine.crash()
    until(lambda: len(collector.of("state")) == 2, collector.poll)
    machine.start()
    until(lambda: len(collector.of("state")) == 3, machine.step, collector.poll)
    machine.worker.end()
    until(lambda: len(collector.of("state")) == 4, collector.poll)
    said = [(data["state"], data["why"]) for data in collector.of("state")]
    assert said == [("online", ""), ("offline", "lost"), ("online", ""), ("offline", "stopped")]
    late = Collector(broker.port, name="late")
    late.connect()
    until(lambda: late.of("state"), late.poll)
    assert late.of("state")[0]["why"] == "stopped"
    assert "kiosk/m-1/state" in late.retained
    late.close()


def test_health_is_reported_on_change_and_at_intervals(collector: Collector, machines: Machines) -> None:
    machine = machines(health_every=300)
    machine.tell(status())
    machine.tell(status())
    until(lambda: collector.of("health"), machine.step, collector.poll)
    machine.tell(status(vision="no camera", vision_fault="0 gives no picture"))
    until(lambda: len(collector.of("health")) == 2, machine.step, collector.poll)
    machine.after(301)
    until(lambda: len(collector.of("health")) == 3, machine.step, collector.poll)
    first, second, third = collector.of("health")
    assert (first["healthy"], second["healthy"]) == (True, False)
    assert first["disk_free"] > 0
    assert third["screen_silent"]  # nobody has told it anything for five minutes
    (error,) = collector.of("error")
    assert (error["fault"], error["present"], error["detail"]) == ("vision", True, "0 gives no picture")


def test_a_damaged_outbox_is_replaced_and_the_sales_are_sent_again(collector: Collector, machines: Machines) -> None:
    machine = machines()
    sold = [machine.sell() for _ in range(3)]
    until(lambda: len(sales(collector)) == 3, machine.step, collector.poll)
    machine.crash()
    (machine.folder / "fleet.db").write_bytes(b"no database at all, " * 500)
    machine.start()
    machine.sell()
    until(lambda: len(sales(collector)) == 4, machine.step, collector.poll)
    assert sales(collector)[:3] == sold  # by their keys the collector knows them again
    assert collector.of("error")[0]["kind"] == "outbox_renewed"
    assert (machine.folder / "fleet.db.damaged").exists()


def test_a_journal_that_cannot_be_read_holds_up_nothing_else(
    collector: Collector, machines: Machines, caplog: pytest.LogCaptureFixture
) -> None:
    machine = machines()
    machine.worker._journal = machine.folder / "nothere.db"
    machine.tell(status())
    until(lambda: collector.of("health"), machine.step, collector.poll)
    assert "there is no journal" in caplog.text


def test_no_message_describes_a_face(collector: Collector, machines: Machines) -> None:
    from kiosk.vending.journal.facts import AgeCleared

    machine = machines()
    machine.journal.append(AgeCleared("x-1", "passed"))
    machine.sell()
    until(lambda: sales(collector), machine.step, collector.poll)
    said = json.dumps(collector.heard)
    for word in ("passed", "minimum_age", "age_cleared", "gender", "estimate"):
        assert word not in said


def test_the_result_of_an_order_survives_a_full_disk(
    tmp_path: Path, operator: Operator, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without this, the order is carried out again and a rolled-back engine begins another trial."""
    monkeypatch.setattr("kiosk.fleet.service.AGAIN_S", 0.01)
    order = operator.order(1)
    with closing(Outbox(tmp_path / "fleet.db", 100)) as outbox:
        outbox.accept("m-1", 1, operator.envelope(1).decode())
    config = fleet_config(orders_key=operator.public)
    fleet = Fleet(config, tmp_path / "journal.db", tmp_path / "fleet.db")
    fleet.start()
    until(fleet.next_order, lambda: fleet._thread.join(0.01))
    found = fleet.next_order()
    assert found == order
    with monkeypatch.context() as full:

        def finish(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        full.setattr(Outbox, "finish_order", finish)
        fleet.finish(order, "rolled_back")
        until(lambda: "disk is full" in caplog.text, lambda: fleet._thread.join(0.01))
        for _ in range(2 * INBOX):
            fleet.report(status())
    until(lambda: fleet._inbox == deque(), lambda: fleet._thread.join(0.01))
    fleet.stop()
    assert fleet.next_order() is None
    with closing(Outbox(tmp_path / "fleet.db", 100)) as outbox:
        assert outbox.orders() == []
        assert [row.data["outcome"] for row in outbox.messages_after(0, 99) if row.topic == "result"] == ["rolled_back"]


def test_a_machine_that_cannot_keep_anything_says_that_it_failed(
    tmp_path: Path, broker: Broker, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal(tmp_path / "journal.db").close()
    config = fleet_config(broker.port)
    fleet = Fleet(config, tmp_path / "journal.db", tmp_path / "fleet.db")
    fleet.start()
    until(lambda: collector.of("state"), collector.poll)

    def put(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Outbox, "put", put)
    fleet.report(status())
    until(lambda: len(collector.of("state")) == 2, collector.poll)
    fleet.stop()
    assert [(data["state"], data["why"]) for data in collector.of("state")] == [("online", ""), ("offline", "failed")]


def test_an_outbox_of_a_newer_kiosk_is_left_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.fleet.service.AGAIN_S", 0.01)
    with closing(Outbox(tmp_path / "fleet.db", 100)) as outbox:
        outbox._database.execute("PRAGMA user_version = 50")
    opened: list[int] = []
    monkeypatch.setattr("kiosk.fleet.service.Outbox", lambda *args: opened.append(1) or Outbox(*args))
    config = fleet_config()
    fleet = Fleet(config, tmp_path / "journal.db", tmp_path / "fleet.db")
    fleet.start()
    until(lambda: len(opened) > 3, lambda: fleet._thread.join(0.01))
    fleet.stop()
    (record,) = caplog.records
    assert record.message == (
        f"fleet: outbox {tmp_path / 'fleet.db'} was written by a newer kiosk: install that version or a newer one"
    )


def test_an_outbox_that_cannot_be_used_is_tried_again_and_ends_with_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    config = fleet_config()
    fleet = Fleet(config, tmp_path / "journal.db", tmp_path / "file" / "fleet.db")
    fleet.start()
    until(lambda: "check its disk and folder" in caplog.text, lambda: fleet._thread.join(0.01))
    for _ in range(2 * INBOX):
        fleet.report(status())
    assert len(fleet._inbox) == INBOX
    fleet.stop()
    assert not fleet._thread.is_alive()
