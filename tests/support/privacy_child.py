"""A whole sale in a process of its own, as `kiosk run --demo` makes it, touched by a program. What came is reported.

It is asked for with consent and an age limit, so that vision estimates and the age check looks at somebody. Run with
HOME, TMPDIR and the XDG folders in one empty folder, the first argument; the second is the report's file, elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from kiosk.app import demo, machine
from kiosk.config import Config
from kiosk.estimate import Observation
from kiosk.ui.runtime import event_loop
from kiosk.ui.shop.window import ShopWindow
from kiosk.vending.sale.events import Cancel, Choose, Continue, Start
from kiosk.vending.sale.state import Phase
from kiosk.vision.process.supervisor import VisionProcess
from tests.support.file_watch import written_by

SLOT = "C3"  # wine
PATIENCE = 100.0  # seconds; the parent sees that the sale did not end


class Walk:
    """From the first screen to the receipt and back, with eyes open."""

    def __init__(self, window: ShopWindow, sandbox: Path) -> None:
        self.window = window
        self.sandbox = sandbox
        self.phases: list[str] = []
        self.open: set[str] = set()
        self.found: dict[str, str] = {}
        self.asked_for_id = False
        self.timer = QTimer(window)
        self.timer.timeout.connect(self.step)
        self.timer.start(20)

    def step(self) -> None:
        shop, snapshot = self.window.shop, self.window.shop.snapshot
        phase = snapshot.phase
        if not self.phases or self.phases[-1] != phase.value:
            self.phases.append(phase.value)
        for pid in (os.getpid(), VISION.pid if VISION else None):
            if pid is not None and Path(f"/proc/{pid}").exists():
                self.open.update(written_by(pid))
        if phase is Phase.ATTRACT and "done" in self.phases:
            self.window.leave()
        elif phase is Phase.ATTRACT and SLOWED_SHARE["faces"]:
            shop.touch(Start(True))
        elif phase is Phase.BROWSING and SLOWED_SHARE["estimates"]:
            shop.touch(Choose(SLOT))
        elif phase is Phase.SELECTED:
            shop.touch(Continue())
        elif phase is Phase.ASK_ID and not self.asked_for_id:
            self.asked_for_id = True
            MACHINE.reader.present(40)
        elif phase is Phase.DONE and not self.found:
            self.found = {
                str(path.relative_to(self.sandbox)): path.read_bytes().hex()
                for path in self.sandbox.rglob("*")
                if path.is_file() and path.suffix != ".svm"  # the detector
            }
            shop.touch(Cancel())


SLOWED_SHARE = {"faces": 0, "estimates": 0, "estimates before consent": 0}


class WatchedVision(VisionProcess):
    """Counts what vision told the kiosk."""

    def poll(self) -> list[Observation]:
        global VISION
        VISION = self
        observations = super().poll()
        faces = [face for observation in observations for face in observation.faces]
        estimates = sum(face.estimate is not None for face in faces)
        SLOWED_SHARE["faces"] += len(faces)
        SLOWED_SHARE["estimates"] += estimates
        if WALKS and "browsing" not in WALKS[0].phases:
            SLOWED_SHARE["estimates before consent"] += estimates
        return observations


class FastMachine(demo.DemoMachine):
    """Whose devices take no time."""

    def __init__(self, folder: Path) -> None:
        global MACHINE
        super().__init__(folder)
        MACHINE = self
        self.terminal.seconds = self.dispenser.seconds = 0.2


WALKS: list[Walk] = []
VISION: VisionProcess | None = None
MACHINE: FastMachine


def main(sandbox: Path, report: Path) -> None:
    shown = event_loop.show_until_closed

    def show(app: QApplication, window: ShopWindow, _seconds: float | None, *_: object) -> None:
        WALKS.append(Walk(window, sandbox))
        shown(app, window, PATIENCE)

    event_loop.show_until_closed = show  # type: ignore[assignment]
    machine.VisionProcess, machine.DemoMachine = WatchedVision, FastMachine  # type: ignore[misc]
    machine.run(Config(), machine.RunOptions(demo=True, source="demo"))
    (walk,) = WALKS
    said = {"phases": walk.phases, "open": sorted(walk.open), "found": walk.found, **SLOWED_SHARE}
    report.write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
