"""With damaged files in the state folder and USB sticks of any name, the machine starts and nobody gains rights."""

from __future__ import annotations

import json
import os
import shutil
from collections import deque
from contextlib import closing
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest

from kiosk.common.errors import KioskError
from kiosk.fleet import engine_trial
from kiosk.fleet.engine_trial import Choice, EngineTrial
from kiosk.fleet.order_inbox import OrderInbox
from kiosk.fleet.outbox import Outbox
from kiosk.security.pin import Tries
from kiosk.system.usb_export import MOUNTED_UNDER, mounted_sticks
from kiosk.vending.devices.mdb.payment_store import PaymentRecord, PaymentStore
from kiosk.vending.devices.mdb.terminal import MdbTerminal
from tests.fakes.fleet_operator import Operator
from tests.fakes.fleet_rig import fleet_config
from tests.fuzz.forged import damage_wal
from tests.fuzz.mutations import mutations
from tests.fuzz.structures import damage_json
from tests.fuzz.test_serial_lines import READER, Line

SHA256 = "370bbc8d" * 8


def test_a_damaged_count_of_wrong_tries_is_a_count(tmp_path: Path) -> None:
    path = tmp_path / "service-tries"
    for damaged in chain((b"9" * 4300, b"9" * 5000, b"\xd9\xa3"), mutations(b"7"), mutations(b"12345")):
        path.write_bytes(damaged)
        tries = Tries(path)
        assert 0 <= tries.wait_s(0.0) <= 900
        tries.begin(1000.0)
        assert int(path.read_bytes()) >= 1


@pytest.mark.proves("state-spoilt")
def test_damaged_payments_are_read_or_reported_as_unknown(tmp_path: Path) -> None:
    path = tmp_path / "mdb-payments.json"
    memory = PaymentStore(path)
    for name, stage in (("t0", "settled"), ("t1", "returned"), ("t2", "settling")):
        memory.put(name, PaymentRecord(stage, 180, "EUR"))  # type: ignore[arg-type]
    sample = path.read_bytes()
    refused = 0
    for damaged in chain((b"[" * 100_000,), mutations(sample, within=damage_json)):
        path.write_bytes(damaged)
        line = Line()
        memory = PaymentStore(path)
        refused += not memory.is_readable
        terminal = MdbTerminal(line, memory)
        for now in range(6):
            line.coming.append(f"d,STATUS,{('RESULT,1,1.80', 'IDLE')[now % 2]},{READER}")
            terminal.poll(float(now))
            terminal.reverse("t2")
    assert refused


def find(sha256: str) -> Path:
    """Finds the one engine of the machine by its hash."""
    if sha256 != SHA256:
        raise KioskError("there is no such engine")
    return Path(sha256)


@pytest.mark.proves("engine-remote")
def test_a_damaged_choice_of_an_engine_starts_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "fleet-engine.json"
    engine_trial.write(path, Choice(SHA256, None, on_trial=True, starts=1))
    sample = path.read_bytes()
    for damaged in chain((b"[" * 100_000,), mutations(sample, within=damage_json)):
        path.write_bytes(damaged)
        assert engine_trial.engine_at_start(path, find) in (None, Path(SHA256))
        trial = EngineTrial(path, find, lambda _: None, lambda: "unwell")
        for now in range(3):
            trial.advance(None, float(now), order="m-1/7", idle=True)


@pytest.mark.proves("state-spoilt")
@pytest.mark.parametrize("name", ["fleet.db", "fleet.db-wal"])
def test_a_damaged_outbox_is_used_or_replaced(tmp_path: Path, operator: Operator, name: str) -> None:
    written, folder = tmp_path / "written", tmp_path / "state"
    order = operator.order(7)
    config = fleet_config(orders_key=operator.public)
    with closing(Outbox(tmp_path / "fleet.db", 100)) as outbox:
        outbox.put("2026-03-02T12:00:00.000Z", "error", 3, {"kind": "fault", "fault": "terminal"})
        outbox.move_cursor("5f0c2a91", 3)
        outbox.accept("m-1", 7, operator.envelope(7).decode())
        if name.endswith("-wal"):  # as after a power cut
            shutil.copytree(tmp_path, written)
    if not written.exists():
        shutil.copytree(tmp_path, written)
    renewed = 0
    for damaged in mutations((written / name).read_bytes(), within=damage_wal if name.endswith("-wal") else None):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file in written.glob("fleet.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, folder)
        (folder / name).write_bytes(damaged)
        with closing(Outbox(folder / "fleet.db", 100)) as outbox:
            renewed += outbox.was_replaced
            gate = OrderInbox(config, outbox, deque(), lambda: order.expires - timedelta(days=1))
            gate.reload()
            assert list(gate.waiting) in ([], [order])
            outbox.messages_after(0, 10)
            outbox.cursor("5f0c2a91")
            gate.receive("kiosk/m-1/order", operator.envelope(7))
            outbox.put("", "health", 0, {})
            if outbox.was_replaced:
                assert (folder / "fleet.db.damaged").exists()
    assert renewed


@pytest.mark.proves("stick-name")
def test_only_usb_sticks_are_found_whatever_their_names() -> None:
    mounts = b"/dev/sda1 / ext4 rw,relatime 0 0\n/dev/sdb1 /media/kiosk/SALES\\0402026 vfat rw,nosuid 0 0\n"
    assert mounted_sticks(mounts.decode()) == [Path("/media/kiosk/SALES 2026")]
    for damaged in mutations(mounts):
        for stick in mounted_sticks(os.fsdecode(damaged)):
            assert str(stick).startswith(MOUNTED_UNDER)


def test_a_sample_of_a_choice_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fleet-engine.json"
    engine_trial.write(path, Choice(SHA256, None, on_trial=True, starts=1))
    assert json.loads(path.read_bytes())["sha256"] == SHA256
    assert engine_trial.read(path) == Choice(SHA256, None, on_trial=True, starts=1)
