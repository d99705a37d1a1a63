"""The sign of life depends on every part, and is not given for a dead one."""

from __future__ import annotations

import logging
import signal

import pytest

from kiosk.system.sd_notify import ServiceManager
from kiosk.system.watchdog import JOURNAL_SILENT, VISION_SILENT, HealthChecks, Heartbeat, Pulse


class Manager(ServiceManager):
    """Keeps what it is told."""

    def __init__(self, watchdog_s: float = 20.0, address: str = "/nobody") -> None:
        super().__init__({"NOTIFY_SOCKET": address})
        self.watchdog_s = watchdog_s
        self.signs = 0
        self.line = ""

    def alive(self) -> None:
        self.signs += 1

    def status(self, line: str) -> None:
        self.line = line


class Machine:
    """Its parts, as a test has them."""

    def __init__(self) -> None:
        self.journal = self.vision = True
        self.busy = False
        self.outgrown = 0
        self.ends = 0
        self.manager = Manager()
        vitals = HealthChecks(
            lambda: self.journal, lambda: self.vision, lambda: self.busy, lambda: "selling", lambda: self.outgrown
        )
        self.pulse = Pulse(vitals, self.manager, now=0, end=self._end)

    def _end(self) -> None:
        self.ends += 1

    def lives_at(self, now: float) -> bool:
        before = self.manager.signs
        self.pulse.beat(now)
        return self.manager.signs > before


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_machine_in_order_beats(machine: Machine) -> None:
    assert all(machine.lives_at(second) for second in range(0, 3600, 5))
    assert machine.manager.line == "selling"


@pytest.mark.proves("vision-not-starting")
@pytest.mark.parametrize(("part", "patience"), [("journal", JOURNAL_SILENT), ("vision", VISION_SILENT)])
def test_a_silent_part_ends_it_after_its_time(
    machine: Machine, part: str, patience: float, caplog: pytest.LogCaptureFixture
) -> None:
    machine.pulse.beat(0)
    setattr(machine, part, False)
    assert machine.lives_at(patience)
    assert not machine.lives_at(patience + 1)
    assert not machine.lives_at(patience + 2)
    assert machine.manager.line == f"no sign of life of {part}"
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    setattr(machine, part, True)
    assert machine.lives_at(patience + 3)


@pytest.mark.proves("vision-not-starting")
def test_a_customer_is_not_interrupted_for_the_camera(machine: Machine) -> None:
    machine.vision, machine.busy = False, True
    assert machine.lives_at(VISION_SILENT * 2)
    machine.busy = False
    assert not machine.lives_at(VISION_SILENT * 4)


@pytest.mark.proves("kiosk-leaking")
def test_a_machine_that_outgrew_itself_is_asked_to_end_once_and_lives_until_it_does(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    assert machine.lives_at(0)
    assert machine.ends == 0
    machine.outgrown = 400_000_000
    assert all(machine.lives_at(second) for second in range(5, 300, 5))
    assert machine.ends == 1
    assert [record.message for record in caplog.records] == [
        "the kiosk took 400 MB more than when it began: it is started afresh"
    ]


def test_where_nobody_would_start_it_again_it_does_not_end(machine: Machine) -> None:
    machine.manager._address = ""
    machine.outgrown = 400_000_000
    machine.pulse.beat(5)
    assert machine.ends == 0


@pytest.mark.proves("kiosk-leaking")
def test_it_ends_as_the_service_manager_would_have_it_end() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        vitals = HealthChecks(lambda: True, lambda: True, lambda: False, lambda: "", lambda: 1)
        Pulse(vitals, Manager(), now=0).beat(0)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_three_signs_fit_into_the_managers_patience(machine: Machine) -> None:
    assert machine.pulse.every_s == 5
    machine.manager.watchdog_s = 6
    assert machine.pulse.every_s == 2
    machine.manager.watchdog_s = 0
    assert machine.pulse.every_s == 5


def test_each_part_has_its_own_patience() -> None:
    heartbeat = Heartbeat({"journal": 10, "vision": 60}, now=100)
    assert heartbeat.silent(110) == ()
    assert heartbeat.silent(110.1) == ("journal",)
    assert heartbeat.silent(161) == ("journal", "vision")


def test_a_sign_of_life_counts_from_when_it_came() -> None:
    heartbeat = Heartbeat({"journal": 10}, now=0)
    heartbeat.beat("journal", 8)
    heartbeat.beat("journal", 5)  # late news changes nothing
    assert heartbeat.silent(18) == ()
    assert heartbeat.silent(18.5) == ("journal",)
    heartbeat.beat("journal", 19)
    assert heartbeat.silent(20) == ()


def test_a_part_that_it_does_not_know_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Heartbeat({"journal": 10}, now=0).beat("window", 1)
