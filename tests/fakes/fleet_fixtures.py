"""A broker, a collector and a machine, for the tests of the fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.broker import Broker, Collector
from tests.fakes.fleet_operator import operator
from tests.fakes.fleet_rig import Machine

__all__ = ["broker", "collector", "machines", "operator"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Broker(folder)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def collector(broker: Broker) -> Iterator[Collector]:
    collector = Collector(broker.port)
    collector.connect()
    yield collector
    collector.close()


@pytest.fixture
def machines(tmp_path: Path, broker: Broker) -> Iterator[Callable[..., Machine]]:
    """Makes machines that report to the broker."""
    with ExitStack() as made:

        def make(**settings: Any) -> Machine:
            name = settings.get("machine", "m-1")
            machine = Machine(tmp_path / name, broker.port, **settings)
            made.callback(machine.close)
            return machine

        yield make
