"""The watchdog reports only while every part is healthy."""

from __future__ import annotations

import logging
import signal

import pytest

from kiosk.system.sd_notify import ServiceManager
from kiosk.system.watchdog import JOURNAL_TIMEOUT, VISION_TIMEOUT, ActivityMonitor, HealthChecks, Watchdog


class Manager(ServiceManager):
    """Counts the reports and stores the last status line."""

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
    """A watchdog whose parts a test can stop."""

    def __init__(self) -> None:
        self.journal = self.vision = True
        self.busy = False
        self.outgrown = 0
        self.ends = 0
        self.manager = Manager()
        checks = HealthChecks(
            lambda: self.journal, lambda: self.vision, lambda: self.busy, lambda: "selling", lambda: self.outgrown
        )
        self.watchdog = Watchdog(checks, self.manager, now=0, end=self._end)

    def _end(self) -> None:
        self.ends += 1

    def reports_at(self, now: float) -> bool:
        before = self.manager.signs
        self.watchdog.check(now)
        return self.manager.signs > before


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_healthy_machine_reports_to_the_service_manager(machine: Machine) -> None:
    assert all(machine.reports_at(second) for second in range(0, 3600, 5))
    assert machine.manager.line == "selling"


@pytest.mark.proves("vision-not-starting")
@pytest.mark.parametrize(("part", "patience"), [("journal", JOURNAL_TIMEOUT), ("vision", VISION_TIMEOUT)])
def test_a_part_without_activity_stops_the_reports_after_its_timeout(
    machine: Machine, part: str, patience: float, caplog: pytest.LogCaptureFixture
) -> None:
    machine.watchdog.check(0)
    setattr(machine, part, False)
    assert machine.reports_at(patience)
    assert not machine.reports_at(patience + 1)
    assert not machine.reports_at(patience + 2)
    assert machine.manager.line == f"no sign of life of {part}"
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    setattr(machine, part, True)
    assert machine.reports_at(patience + 3)


@pytest.mark.proves("vision-not-starting")
def test_a_customer_is_not_interrupted_for_the_camera(machine: Machine) -> None:
    machine.vision, machine.busy = False, True
    assert machine.reports_at(VISION_TIMEOUT * 2)
    machine.busy = False
    assert not machine.reports_at(VISION_TIMEOUT * 4)


@pytest.mark.proves("kiosk-leaking")
def test_a_machine_that_outgrew_itself_is_asked_to_end_once_and_lives_until_it_does(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    assert machine.reports_at(0)
    assert machine.ends == 0
    machine.outgrown = 400_000_000
    assert all(machine.reports_at(second) for second in range(5, 300, 5))
    assert machine.ends == 1
    assert [record.message for record in caplog.records] == [
        "the kiosk uses 400 MB more than after its start: it ends, to be restarted"
    ]


def test_without_a_service_manager_the_kiosk_does_not_end(machine: Machine) -> None:
    machine.manager._address = ""
    machine.outgrown = 400_000_000
    machine.watchdog.check(5)
    assert machine.ends == 0


@pytest.mark.proves("kiosk-leaking")
def test_it_ends_as_the_service_manager_would_have_it_end() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        checks = HealthChecks(lambda: True, lambda: True, lambda: False, lambda: "", lambda: 1)
        Watchdog(checks, Manager(), now=0).check(0)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_three_reports_fit_into_the_watchdog_time(machine: Machine) -> None:
    assert machine.watchdog.interval_s == 5
    machine.manager.watchdog_s = 6
    assert machine.watchdog.interval_s == 2
    machine.manager.watchdog_s = 0
    assert machine.watchdog.interval_s == 5


def test_each_part_has_its_own_timeout() -> None:
    monitor = ActivityMonitor({"journal": 10, "vision": 60}, now=100)
    assert monitor.silent(110) == ()
    assert monitor.silent(110.1) == ("journal",)
    assert monitor.silent(161) == ("journal", "vision")


def test_activity_counts_from_its_own_time() -> None:
    monitor = ActivityMonitor({"journal": 10}, now=0)
    monitor.record("journal", 8)
    monitor.record("journal", 5)  # late news changes nothing
    assert monitor.silent(18) == ()
    assert monitor.silent(18.5) == ("journal",)
    monitor.record("journal", 19)
    assert monitor.silent(20) == ()


def test_an_unknown_part_raises_an_error() -> None:
    with pytest.raises(KeyError):
        ActivityMonitor({"journal": 10}, now=0).record("window", 1)
