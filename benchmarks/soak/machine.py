"""`kiosk run --demo` as one process of a soak: the whole machine, used by random customers, with devices that fail.

    python -m benchmarks.soak.machine SETTINGS CLIP STATE SEED DESCRIPTOR

STATE is the folder that outlives the process. It holds the journal and the devices' record of what really happened.
Every event is written to DESCRIPTOR as one line of JSON. When standard input ends, customers leave and no device fails
any more; SIGTERM ends the machine as usual.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from PyQt6.QtCore import QObject, QSocketNotifier, QTimer
from PyQt6.QtWidgets import QApplication

from benchmarks.soak.customer import Customers
from benchmarks.soak.operator import Operator
from benchmarks.soak.world import ReportingDispenser, ReportingTerminal, SendMessage, message_sender
from kiosk.app import machine as run
from kiosk.app.demo import DemoMachine
from kiosk.common.errors import KioskError
from kiosk.config import load
from kiosk.estimate import Observation
from kiosk.ui.runtime import event_loop
from kiosk.ui.shop.window import ShopWindow
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.sale.state import Phase

BEAT_S = 1.0
"""Seconds between two signs of life, and between two samples."""
PLAY_MS = 25
PAYMENT_S, MOTOR_S = 0.3, 0.4

WRONG_PAYMENTS = [each for each in Pay if each not in (Pay.APPROVE, Pay.WAIT)]
WRONG_VENDS = [each for each in Vend if each not in (Vend.DROP, Vend.WAIT)]
WRONG = 0.15
"""The share of payments, and of vends, that go wrong."""
AWAY_EVERY_S = 60.0
"""The mean time in seconds between two disconnections of the terminal or the dispenser."""
AWAY_S = (1.0, 6.0)


class SoakMachine(DemoMachine):
    """A demo machine whose state outlives the process and whose devices report what they really do."""

    def __init__(self, folder: Path, send: SendMessage) -> None:
        super().__init__(folder)
        self.terminal = ReportingTerminal(folder / "terminal.jsonl", send)
        self.dispenser = ReportingDispenser(folder / "dispenser.jsonl", send)
        self.terminal.seconds, self.dispenser.seconds = PAYMENT_S, MOTOR_S


class Devices(QObject):
    """Makes the devices fail at random until `stop_failing`."""

    def __init__(self, machine: SoakMachine, random: Random, send: SendMessage, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal: SimulatedTerminal = machine.terminal
        self._dispenser: SimulatedDispenser = machine.dispenser
        self._devices: tuple[tuple[str, SimulatedTerminal | SimulatedDispenser], ...] = (
            ("terminal", self._terminal),
            ("dispenser", self._dispenser),
        )
        self._random = random
        self._send = send
        self._failing_stopped = False
        self._due = time.monotonic() + random.expovariate(1 / AWAY_EVERY_S)
        self._back: dict[str, float] = {}

    def step(self) -> None:
        now = time.monotonic()
        if not self._failing_stopped:
            self._plan()
            if now >= self._due:
                self._due = now + self._random.expovariate(1 / AWAY_EVERY_S)
                self._random.choice([self._terminal.vanish, self._dispenser.vanish])()
        for name, device in self._devices:
            if device.away and name not in self._back:  # at random, or during a payment or vend
                self._back[name] = now + self._random.uniform(*AWAY_S)
                self._send(fault=name, began=now)
            if name in self._back and (self._failing_stopped or now >= self._back[name]):
                del self._back[name]
                device.come_back()
                self._send(over=name, at=now)

    def stop_failing(self) -> None:
        """Reconnects the devices and makes them work correctly from now on."""
        self._failing_stopped = True
        self._terminal.unheard, self._terminal.repeats, self._dispenser.repeats = 0, False, False
        self._terminal.script.clear()
        self._dispenser.script.clear()
        self.step()

    def _plan(self) -> None:
        random = self._random
        if not self._terminal.script:
            self._terminal.plan([random.choice(WRONG_PAYMENTS) if random.random() < WRONG else Pay.APPROVE])
            self._terminal.repeats = random.random() < WRONG
            if random.random() < WRONG:
                self._terminal.unheard = random.randint(1, 2)
        if not self._dispenser.script:
            self._dispenser.plan([random.choice(WRONG_VENDS) if random.random() < WRONG else Vend.DROP])
            self._dispenser.repeats = random.random() < WRONG


class Play(QObject):
    """Runs customers, operator and devices, and reports the state of the machine every second."""

    def __init__(self, machine: run.Machine, window: ShopWindow, random: Random, send: SendMessage) -> None:
        super().__init__(window)
        assert isinstance(machine.demo, SoakMachine)
        self._machine = machine
        self._window = window
        self._send = send
        self._devices = Devices(machine.demo, Random(random.random()), send, self)
        self._customers = Customers(window, machine.shop, machine.demo, Random(random.random()))
        self._operator = Operator(machine.shop, machine.demo, machine.catalog, Random(random.random()))
        self._latencies: list[float] = []
        self._late = 0.0
        self._finishing = False
        self._next = self._turned = self._beaten = time.monotonic()
        machine.vision.poll = self._noting_latency(machine.vision.poll)  # type: ignore[method-assign]
        # the stub has no int
        self._input = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, self)  # type: ignore[arg-type]
        self._input.activated.connect(self._finish)
        self._timer = QTimer(self)
        self._timer.setInterval(PLAY_MS)
        self._timer.timeout.connect(self._step)
        self._timer.start()

    def _noting_latency(self, poll: Callable[[], list[Observation]]) -> Callable[[], list[Observation]]:
        def poll_and_note() -> list[Observation]:
            observations = poll()
            self._latencies += [observation.latency_ms for observation in observations]
            return observations

        return poll_and_note

    def _finish(self) -> None:
        self._input.setEnabled(False)
        self._finishing = True
        self._devices.stop_failing()

    def _step(self) -> None:
        now = time.monotonic()
        self._late = max(self._late, now - self._turned - PLAY_MS / 1000)
        self._turned = now
        self._devices.step()
        phase = self._machine.shop.snapshot.phase
        if not self._operator.works(phase, finishing=self._finishing) and now >= self._next:
            # at the end customers leave, and their sales time out
            self._next = now + (self._customers.step() if not self._finishing else BEAT_S)
        if now >= self._beaten + BEAT_S:
            self._beaten = now
            self._beat(now, phase)

    def _beat(self, now: float, phase: Phase) -> None:
        shop, vision = self._machine.shop, self._machine.vision
        ledger = shop.state.ledger
        self._send(
            beat=now,
            phase=phase.value,
            faults=sorted(shop.snapshot.faults),
            attention=[[item.kind, item.item] for item in shop.snapshot.attention],
            open=len(ledger.sales) + len(ledger.transactions),
            served=self._customers.served,
            vision_state=vision.state.value,
            vision_pid=vision.pid,
            latency_ms=round(statistics.median(self._latencies), 2) if self._latencies else None,
            late_ms=round(self._late * 1000, 1),
        )
        self._latencies.clear()
        self._late = 0.0


def main(settings: Path, clip: str, state: Path, seed: str, descriptor: int) -> None:
    """Runs the machine until SIGTERM. Raises `KioskError` if it cannot start."""
    random, send = Random(seed), message_sender(descriptor)
    machines: list[run.Machine] = []
    shown, show_until_closed = run.show, event_loop.show_until_closed

    def show(machine: run.Machine, options: run.RunOptions) -> None:
        machines.append(machine)
        shown(machine, options)

    def show_and_play(app: QApplication, window: ShopWindow, *rest: object) -> None:
        play = Play(machines[0], window, random, send)
        show_until_closed(app, window, *rest)  # type: ignore[arg-type]
        del play

    run.show = show
    run.DemoMachine = lambda _: SoakMachine(state, send)  # type: ignore[assignment, attr-defined]
    event_loop.show_until_closed = show_and_play  # type: ignore[assignment]
    run.run(load(settings), run.RunOptions(demo=True, source=clip))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    except KioskError as error:
        sys.exit(f"Error: {error}")
