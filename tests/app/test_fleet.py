"""The fleet in the whole machine: its settings, its commands, and a demo that reports to a real broker."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from kiosk.app.devices import missing_requirements as machine_requirements
from kiosk.app.fleet import (
    FleetController,
    engine_health,
    find_engine,
    machine_status,
    missing_requirements,
    select_engine,
)
from kiosk.config import Config, ConfigError, FleetConfig, load
from kiosk.fleet import engine_trial
from kiosk.fleet.engine_trial import Choice
from kiosk.fleet.orders import load_public_key, open_envelope
from kiosk.inference import check
from kiosk.inference.manifest import ManifestError
from kiosk.inference.selection import default_path
from kiosk.vending.journal import Journal
from kiosk.vending.journal.operator_settings import OperatorSettings
from kiosk.vision.process.messages import EngineInfo, VisionState
from tests.cli.test_main import assert_one_clear_line, kiosk
from tests.fakes.broker import Broker, Collector, until
from tests.fakes.sale_rig import Rig

pytestmark = pytest.mark.proves("engine-remote")


def config(folder: Path, more: str) -> Config:
    path = folder / "kiosk.toml"
    path.write_text(f'[shop]\nstate = "state"\n[fleet]\n{more}')
    return load(path)


def local(broker: Broker) -> str:
    return f'broker = "127.0.0.1"\nport = {broker.port}\ntls = false\nmachine = "m-1"\n'


# OperatorSettings


def test_without_a_broker_there_is_no_fleet() -> None:
    assert Config().fleet == FleetConfig()
    assert list(missing_requirements(Config())) == []
    assert select_engine(Config()) is None


@pytest.mark.proves("network-broker")
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('broker = "b"', "machine is ''"),
        ('broker = "b"\nmachine = "all"', "not 'all'"),
        ('broker = "b"\nmachine = "a/b"', "fleet.machine = 'a/b'"),
        ('broker = "mqtt://b"\nmachine = "a"', "fleet.broker"),
        ('broker = "b"\nmachine = "a"\nkey = "k"', "certificate and key go together"),
        ('broker = "b"\nmachine = "a"\npassword = "p"', "password needs a user"),
        ('broker = "b"\nmachine = "a"\nuser = "u"\npassword = "p"\ntls = false', "unencrypted"),
        ('topic = "a/#"', "fleet.topic"),
        ("outbox = 1", "100 to 1000000"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, more: str, words: str) -> None:
    with pytest.raises(ConfigError, match="fleet") as refused:
        config(tmp_path, more)
    assert words in str(refused.value)


def test_files_are_found_from_the_settings_and_checked(tmp_path: Path) -> None:
    found = config(
        tmp_path, 'broker = "b"\nmachine = "m"\nuser = "u"\npassword = "p"\nengines = "e"\norders_key = "AAAA"'
    )
    assert found.fleet.password_path == tmp_path / "p"
    (tmp_path / "p").write_text("secret")
    (tmp_path / "p").chmod(0o644)
    found_lacking = list(missing_requirements(found))
    assert len(found_lacking) == 3
    assert "can be read by others" in found_lacking[0]
    assert "fleet.orders_key" in found_lacking[1]
    assert "fleet.engines" in found_lacking[2]
    assert set(found_lacking) <= set(machine_requirements(found))
    result = kiosk("config", "check", tmp_path / "kiosk.toml")
    assert f"to sell: fleet: {tmp_path / 'p'} can be read by others" in result.stdout


# Commands


def test_an_order_is_signed_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "operator.pem"
    made = kiosk("fleet", "keygen", path)
    key = load_public_key(made.stdout.strip())
    assert_one_clear_line(kiosk("fleet", "keygen", path), "already exists")
    sign = ("fleet", "sign", "--key", path, "--machine", "m-1")
    for words, change in (
        (("price", "A1", "200"), {"kind": "price", "slot": "A1", "price": 200}),
        (("out-of-order", "on"), {"kind": "out_of_order", "on": True}),
        (("engine", "a" * 64), {"kind": "engine", "sha256": "a" * 64}),
        (("engine", "own"), {"kind": "engine", "sha256": None}),
    ):
        order = open_envelope(kiosk(*sign, *words).stdout.encode(), key)
        assert order.set.model_dump() == change
    assert_one_clear_line(kiosk(*sign, "engine", "latest"), "set.engine.sha256")


# Engines


def test_an_engine_is_found_by_its_hash_and_has_to_be_whole(tmp_path: Path) -> None:
    for file in (default_path(), default_path().with_name(f"{default_path().name}.json")):
        shutil.copy(file, tmp_path)
    sha256 = check().sha256
    assert find_engine(tmp_path, sha256) == tmp_path / default_path().name
    with pytest.raises(ManifestError, match="has no engine with the SHA-256 bbb"):
        find_engine(tmp_path, "b" * 64)
    with (tmp_path / default_path().name).open("ab") as file:
        file.write(b"more")
    with pytest.raises(ManifestError):
        find_engine(tmp_path, sha256)


def test_the_engine_that_was_chosen_is_used_at_the_next_start(tmp_path: Path) -> None:
    engines = tmp_path / "engines"
    engines.mkdir()
    for file in (default_path(), default_path().with_name(f"{default_path().name}.json")):
        shutil.copy(file, engines)
    found = config(tmp_path, 'broker = "b"\nmachine = "m"\nengines = "engines"')
    assert select_engine(found) is None
    engine_trial.write(tmp_path / "state" / "fleet-engine.json", Choice(check().sha256))
    assert select_engine(found) == engines / default_path().name


class Vision(SimpleNamespace):
    """The attributes of the vision process that the fleet reads."""


def vision(state: VisionState, *, engine: bool = True, engine_fault: str | None = None) -> Vision:
    info = EngineInfo(name="facialnet", precision="int8", accuracy=None) if engine else None
    return Vision(state=state, fault=None, engine=info, engine_fault=engine_fault)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (vision(VisionState.RUNNING), "well"),
        (vision(VisionState.NO_CAMERA), "well"),
        (vision(VisionState.STARTING, engine=False), "unknown"),
        (vision(VisionState.RESTARTING), "unknown"),
        (vision(VisionState.FAILED), "unwell"),
        (vision(VisionState.RUNNING, engine_fault="x.engine does not run here"), "unwell"),
    ],
)
def test_an_engine_is_well_once_it_is_loaded_and_none_other(seen: Vision, expected: str) -> None:
    assert engine_health(seen) == expected  # type: ignore[arg-type]


# The whole


def test_the_status_is_the_shops_and_visions() -> None:
    status = machine_status(Rig().shop, vision(VisionState.RUNNING, engine_fault="slow"), "1")  # type: ignore[arg-type]
    assert (status.vision, status.engine, status.engine_fault) == ("running", "facialnet, int8", "slow")
    assert {slot.slot: slot.price for slot in status.slots} == {"A1": 180, "B1": 350, "B2": 990}
    assert status.problems == {"engine"}


def test_the_fleet_reports_and_carries_out_orders(tmp_path: Path, broker: Broker, collector: Collector) -> None:
    key = tmp_path / "operator.pem"
    public = kiosk("fleet", "keygen", key).stdout.strip()
    found = config(
        tmp_path,
        f'{local(broker)}orders_key = "{public}"\ncount_visitors = true',
    )
    Journal(found.journal_path).close()
    rig = Rig()
    settings = OperatorSettings(rig.journal)  # type: ignore[arg-type]
    desk = FleetController(found, rig.shop, settings, vision(VisionState.RUNNING))  # type: ignore[arg-type]
    desk.start()

    def turn() -> None:
        rig.after(0.5)
        desk.advance(rig.now)
        collector.poll()

    until(lambda: collector.of("stock"), turn)
    signed = kiosk("fleet", "sign", "--key", key, "--machine", "all", "price", "A1", "210").stdout
    collector.publish("kiosk/all/order", signed.encode(), retain=True)
    until(lambda: collector.of("result"), turn)
    assert collector.of("result")[0]["outcome"] == "applied"
    assert rig.shop.snapshot.offers[0].price == 210
    until(lambda: collector.of("stock")[-1]["slots"][0]["price"] == 210, turn)
    desk.count_visitors([])
    desk.stop()
    until(lambda: collector.of("state")[-1]["state"] == "offline", collector.poll)


def test_a_demo_reports_apart_from_the_real_machines(tmp_path: Path, broker: Broker) -> None:
    demo = Collector(broker.port, "kiosk-demo/#")
    demo.connect()
    real = Collector(broker.port, "kiosk/#", name="real")
    real.connect()
    config(tmp_path, f"{local(broker)}count_visitors = true")
    result = kiosk(
        "run", "--demo", "--source", "demo", "--seconds", "4", "--config", tmp_path / "kiosk.toml",
        QT_QPA_PLATFORM="offscreen",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    until(lambda: demo.of("state")[-1:] and demo.of("state")[-1]["state"] == "offline", demo.poll)
    assert {"machine_started", "stock_set"} <= {data["kind"] for data in demo.of("change")}
    assert demo.of("health")
    assert demo.of("stock")[0]["machine"] == "m-1-demo"
    real.poll()
    assert real.heard == []
    assert "gender" not in json.dumps(demo.heard)
    demo.close()
    real.close()
