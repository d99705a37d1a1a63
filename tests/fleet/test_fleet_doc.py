"""docs/fleet.md says what is: its examples have the fields that machines send, its collector names what exists."""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import FleetConfig
from kiosk.fleet.messages import RETAINED
from kiosk.fleet.orders import new_order
from kiosk.fleet.worker import Worker
from kiosk.vending.journal.facts import PriceSet, SaleClosed, SaleOpened, VendFailed
from tests.fakes.broker import Broker, Collector, passwords, until
from tests.fakes.fleet_operator import Operator
from tests.fakes.fleet_rig import Machine, status
from tests.fakes.influxdb import influxdb
from tests.fakes.telegraf import Point, points

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    every = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return [body for named, body in every if named == language]


def examples() -> dict[str, dict[str, Any]]:
    """By kind."""
    said = [json.loads(line) for block in blocks("json") for line in block.splitlines()]
    return {each.get("kind", "state"): each for each in said}


@pytest.fixture
def sent(collector: Collector, machines: Any) -> dict[str, dict[str, Any]]:
    """Returns one sent message of each kind."""
    machine: Machine = machines()
    machine.step()
    machine.journal.append(SaleOpened("x-1", "A1", "Water", 180, "EUR", 0))
    machine.journal.append(SaleClosed("x-1", "sold"))
    machine.journal.append(PriceSet("A1", 200, 180, "EUR"))
    machine.journal.append(VendFailed("x-2", "A1", "jam"))
    machine.tell(status(faults=("terminal",)))
    for _ in range(5):
        machine.worker.count_visitor("20-29")
    machine.after(3600)
    worker: Worker = machine.worker
    order = new_order("m-1", {"kind": "price", "slot": "A1", "price": 200}, None, timedelta(days=1))
    worker.finish_order(order, "applied", "")
    kinds = examples().keys()
    until(lambda: kinds <= {data.get("kind", "state") for _, data in collector.heard}, machine.step, collector.poll)
    return {data.get("kind", "state"): data for _, data in collector.heard}


def test_every_example_has_the_fields_of_what_is_sent(sent: dict[str, dict[str, Any]]) -> None:
    for kind, example in examples().items():
        assert list(example) == list(sent[kind]), kind
    assert list(examples()["stock"]["slots"][0]) == list(sent["stock"]["slots"][0])


def test_the_access_list_gives_everybody_what_they_need_and_no_more(tmp_path: Path, operator: Operator) -> None:
    (settings,) = [block for block in blocks("") if "listener 8883" in block]
    (access,) = [block for block in blocks("") if "pattern write" in block]
    (tmp_path / "access").write_text(access)
    (tmp_path / "access").chmod(0o600)
    passwords(tmp_path / "users", ["m-1", "m-2", "telegraf", "desk"], "right")
    ours = [line for line in settings.splitlines() if re.match("autosave|max_queued", line)]
    broker = Broker(
        tmp_path, "allow_anonymous false", f"password_file {tmp_path}/users", f"acl_file {tmp_path}/access", *ours
    )
    broker.start()
    (tmp_path / "password").write_text("right")
    (tmp_path / "password").chmod(0o600)
    with ExitStack() as made:
        made.callback(broker.stop)
        telegraf, desk = (Collector(broker.port, name=name, password="right") for name in ("telegraf", "desk"))
        machine = Machine(
            tmp_path / "m-1",
            broker.port,
            orders_key=operator.public,
            user="m-1",
            password=str(tmp_path / "password"),
        )
        made.callback(machine.close)
        for collector in (telegraf, desk):
            collector.connect()
            made.callback(collector.close)
        until(lambda: machine.worker._link and machine.worker._link.subscribed, machine.step)
        machine.sell()
        desk.publish("kiosk/all/order", operator.envelope(1, "all"))
        desk.publish("kiosk/m-1/order", operator.envelope(1))
        until(lambda: len(machine.worker._order_inbox.waiting) == 2, machine.step, desk.poll)
        machine.worker.put("error", {"kind": "fault"})
        until(lambda: telegraf.of("sale") and telegraf.of("error"), machine.step, telegraf.poll)
        stranger = Collector(broker.port, name="m-2", password="right")
        stranger.connect()
        made.callback(stranger.close)
        stranger.publish("kiosk/m-1/order", b"1")
        desk.publish("kiosk/m-1/health", b"2")
        desk.publish("kiosk/all/order", operator.envelope(2, "all"))
        until(lambda: len(machine.worker._order_inbox.waiting) == 3, machine.step, stranger.poll, telegraf.poll)
        until(lambda: telegraf.of("sale"), stranger.poll)
        assert (
            stranger.of("sale")
            == stranger.of("health")
            == telegraf.of("health")
            == machine.outbox.messages_after(0, 9)
            == []
        )


def test_the_documented_settings_are_valid() -> None:
    (settings,) = [tomllib.loads(block)["fleet"] for block in blocks("toml") if "[fleet]" in block]
    FleetConfig(**settings)


def test_the_document_lists_the_retained_topics() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (yes)? ?\|$", TEXT, re.MULTILINE)
    assert {topic for topic, retained in rows if retained} == RETAINED | {"state"}


@pytest.fixture
def stored(collector: Collector, machines: Any) -> list[Point]:
    """Returns the points that Telegraf writes for one day of a machine."""
    machine: Machine = machines()
    for number, outcome in enumerate(("sold", "refunded", "in_doubt", "cancelled", "test"), 1):
        machine.journal.append(SaleOpened(f"x-{number}", "A1", "Water", 180, "EUR", 0))
        machine.journal.append(SaleClosed(f"x-{number}", outcome))
    machine.journal.append(PriceSet("A1", 200, 180, "EUR"))
    machine.journal.append(VendFailed("x-2", "A1", "jam"))
    machine.tell(status(faults=("terminal",), attention=1))
    machine.tell(status())
    machine.step()
    machine.worker.finish_order(
        new_order("m-1", {"kind": "price", "slot": "A1", "price": 200}, None, timedelta(days=1)), "applied", ""
    )
    until(lambda: len(collector.of("sale")) == 5 and not machine.outbox.waiting, machine.step, collector.poll)
    until(lambda: collector.of("result") and collector.of("stock"), collector.poll)
    (telegraf,) = [tomllib.loads(block) for block in blocks("toml") if "inputs.mqtt_consumer" in block]
    plugins = telegraf["inputs"]["mqtt_consumer"]
    assert len({plugin["client_id"] for plugin in plugins}) == len(plugins)
    for plugin in plugins:
        assert plugin["persistent_session"]
        assert plugin["qos"] == 1
        for topic in plugin["topics"]:
            assert re.search(rf"^\| `{topic.rpartition('/')[2]}` \|", TEXT, re.MULTILINE), topic
    made = [points(plugin, *message) for message in collector.heard for plugin in plugins]
    return [point for some in made for point in some]


def test_the_collector_writes_every_topic_that_it_hears_and_no_event_over_another(stored: list[Point]) -> None:
    assert {point.measurement for point in stored} == {"sale", "change", "error", "health", "result", "stock"}
    assert all(point.tags["machine"] == "m-1" for point in stored)
    keys = [(point.measurement, tuple(sorted(point.tags.items())), point.time) for point in stored]
    events = [key for key in keys if key[0] in ("sale", "change", "error")]
    assert sorted(set(events)) == sorted(events)


def queries() -> dict[str, str]:
    """Returns each panel's query by the panel's name."""
    return dict(re.findall(r"^\| ([a-z ]+) \| [a-z ]+ \| `(SELECT .*)` \|$", TEXT, re.MULTILINE))


def test_every_query_of_the_document_is_found() -> None:
    assert len(queries()) == TEXT.count("`SELECT ")


@pytest.mark.parametrize("panel", queries())
def test_a_panel_selects_what_the_collector_writes(stored: list[Point], panel: str) -> None:
    query = re.fullmatch(
        r'SELECT (?P<what>.+?) FROM "(?P<measurement>\w+)"'
        r"(?: WHERE (?P<where>.+?))?(?: GROUP BY (?P<group>.+?))?(?: fill\(0\))?",
        queries()[panel],
    )
    assert query is not None
    rows = [point for point in stored if point.measurement == query["measurement"]]
    for function, name in re.findall(r'(?:(\w+)\()?"(\w+)"', query["what"]):
        found = {type(point.fields.get(name, point.tags.get(name))) for point in rows}
        types = found - {type(None)}  # an error that is no fault has other fields
        assert len(types) == 1, (name, found)
        assert types <= ({float} if function == "sum" else {float, bool, str})
        assert not function or all(name in point.fields for point in rows), f"a function takes a field, {name} is none"
    for name, value in re.findall(r"\"(\w+)\" = '(\w+)'", query["where"] or ""):
        assert value in {point.tags.get(name) for point in rows}, f"no {name} is ever {value}"
    for name in re.findall(r'"(\w+)"', query["group"] or ""):
        assert all(name in point.tags for point in rows), f"{name} is no tag of {query['measurement']}"


def test_a_real_influxdb_answers_every_panel(tmp_path: Path, stored: list[Point]) -> None:
    with influxdb(tmp_path) as database:
        database.write([point.line for point in stored])
        answers = {panel: database.ask(query) for panel, query in queries().items()}
    assert all(answers.values()), answers
    (revenue,) = answers["revenue"]
    assert [value for _, value in revenue["values"] if value] == [1.8]
    assert answers["refunds"][0]["values"][0][1] == 2
    assert answers["sold out soon"][0]["tags"] == {"machine": "m-1", "slot": "A1"}
    assert [row[1:] for row in answers["faults"][0]["values"]] == [["terminal", "", "m-1"]]
