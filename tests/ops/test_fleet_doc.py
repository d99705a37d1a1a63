"""docs/fleet.md says what is: its examples have the fields that machines send, its collector names what exists."""

from __future__ import annotations

import json
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import FleetConfig
from kiosk.ops.fleet_messages import RETAINED
from kiosk.ops.fleet_worker import Worker
from kiosk.ops.remote import new_order
from kiosk.vending.facts import PriceSet, SaleClosed, SaleOpened, VendFailed
from tests.ops.broker import Collector, until
from tests.ops.fleet_rig import Machine, status

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def examples() -> dict[str, dict[str, Any]]:
    """By kind."""
    said = [json.loads(line) for block in blocks("json") for line in block.splitlines()]
    return {each.get("kind", "state"): each for each in said}


@pytest.fixture
def sent(collector: Collector, machines: Any) -> dict[str, dict[str, Any]]:
    """One of everything, by kind."""
    machine: Machine = machines()
    machine.step()
    machine.journal.append(SaleOpened("x-1", "A1", "Water", 180, "EUR", 0))
    machine.journal.append(SaleClosed("x-1", "sold"))
    machine.journal.append(PriceSet("A1", 200, 180, "EUR"))
    machine.journal.append(VendFailed("x-2", "A1", "jam"))
    machine.tell(status(faults=("terminal",)))
    for _ in range(5):
        machine.worker.seen("20-29")
    machine.after(3600)
    worker: Worker = machine.worker
    order = new_order("m-1", {"kind": "price", "slot": "A1", "price": 200}, None, timedelta(days=1))
    worker.finished(order, "applied", "")
    kinds = examples().keys()
    until(lambda: kinds <= {data.get("kind", "state") for _, data in collector.heard}, machine.step, collector.turn)
    return {data.get("kind", "state"): data for _, data in collector.heard}


def test_every_example_has_the_fields_of_what_is_sent(sent: dict[str, dict[str, Any]]) -> None:
    for kind, example in examples().items():
        assert list(example) == list(sent[kind]), kind
    assert list(examples()["stock"]["slots"][0]) == list(sent["stock"]["slots"][0])


def test_the_settings_are_ours() -> None:
    (settings,) = [tomllib.loads(block)["fleet"] for block in blocks("toml") if "[fleet]" in block]
    FleetConfig(**settings)


def test_what_is_retained_is_said() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (yes)? ?\|$", TEXT, re.MULTILINE)
    assert {topic for topic, retained in rows if retained} == RETAINED | {"state"}


def test_the_collector_names_topics_and_fields_that_exist(sent: dict[str, dict[str, Any]]) -> None:
    (telegraf,) = [tomllib.loads(block) for block in blocks("toml") if "inputs.mqtt_consumer" in block]
    events, stock = telegraf["inputs"]["mqtt_consumer"]
    for plugin in (events, stock):
        assert plugin["persistent_session"]
        assert plugin["qos"] == 1
        for topic in plugin["topics"]:
            assert re.search(rf"^\| `{topic.rpartition('/')[2]}` \|", TEXT, re.MULTILINE), topic
    fields = {key for data in sent.values() for key in data}
    assert set(events["json_v2"][0]["object"][0]["tags"]) <= fields
    slot = sent["stock"]["slots"][0]
    assert set(stock["json_v2"][0]["object"][0]["tags"]) <= slot.keys()
    for measurement, wanted in re.findall(r'`SELECT (?:\w+\()?"(\w+)"\)?.*? FROM "(\w+)"', TEXT):
        assert measurement in (slot if wanted == "stock" else fields)
