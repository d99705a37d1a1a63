"""Renders every screen in both orientations and all languages, without a display: `make screenshots`.

    python tools/make_screenshots.py [FOLDER] [--size 1280x800 …] [--language de …] [--only paying …] [--density 5.25]

One PNG each, FOLDER/LANGUAGE/SIZE/SCREEN.png. The sale is a real one with simulated devices; the people in the live
image are from the demo clip and do not exist.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it runs in a bare checkout

from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QApplication

from kiosk.config import AgeCheckConfig
from kiosk.estimate import MeasuredAccuracy, Observation
from kiosk.inference import load
from kiosk.system.backlight import Backlight
from kiosk.ui.service.controller import ServiceController
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.service.pages.camera import CameraPage
from kiosk.ui.service.pages.device_tests import TestsPage
from kiosk.ui.service.pages.health import HealthPage
from kiosk.ui.service.pages.journal import ExportPage, JournalPage
from kiosk.ui.service.pages.machine import MachinePage
from kiosk.ui.service.pages.settle import SettlePage
from kiosk.ui.service.pages.stock import StockPage
from kiosk.ui.service.screen import ServiceScreen
from kiosk.ui.service.vision_feed import VisionFeed
from kiosk.ui.shop.preferences import Appearance
from kiosk.ui.shop.window import ShopWindow
from kiosk.vending.catalog import catalog as catalogs
from kiosk.vending.devices.protocols import IdConfirmed, IdMessage, IdRefused, WrongPin
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.id_reader import SimulatedIdReader
from kiosk.vending.devices.simulated.terminal import Behaviour as Payment
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal import Journal
from kiosk.vending.journal.operator_settings import OperatorSettings
from kiosk.vending.sale.events import Choose, Continue, SetStock, Start
from kiosk.vending.shop import Shop
from kiosk.vision.capture.source import open_source
from kiosk.vision.pipeline import Pipeline
from kiosk.vision.process.messages import EngineInfo, Preview, VisionMode, VisionState

SIZES = ("1280x800", "1080x1920")
LANGUAGES = ("en", "zh", "de")
MOMENT = 8.8
"""Seconds into the clip, of somebody in their best years."""


class ClipVision:
    """One moment of the demo clip, without end."""

    def __init__(self, observation: Observation, preview: Preview) -> None:
        self.state = VisionState.RUNNING
        self.fault: str | None = None
        self.engine_fault: str | None = None
        self.engine = EngineInfo(
            name="ONNX Runtime on the CPU",
            precision="int8",
            accuracy=MeasuredAccuracy(
                gender=0.896, age=0.577, age_within_one=0.938, faces=8672, measured_on="FairFace"
            ),
        )
        self.empty = False
        self._observation = observation
        self._preview = preview
        self._time = observation.time

    def set_mode(self, mode: VisionMode) -> None:
        pass

    def poll(self) -> list[Observation]:
        self._time += 0.05
        return [replace(self._observation, time=self._time, faces=() if self.empty else self._observation.faces)]

    def preview(self) -> Preview | None:
        return self._preview


class Attendant:
    """Offers a PIN that nobody types."""

    method = "pin"
    wait = 0.0

    def __init__(self) -> None:
        self.answers: list[IdMessage] = []
        self.sale = ""

    def begin(self, sale: str, minimum_age: int) -> None:  # noqa: ARG002
        self.sale = sale

    def end(self, sale: str) -> None: ...
    def close(self) -> None: ...
    def enter(self, pin: str) -> None: ...

    def wait_s(self, now: float) -> float:  # noqa: ARG002
        return self.wait

    def poll(self, now: float) -> list[IdMessage]:  # noqa: ARG002
        answers, self.answers = self.answers, []
        return answers


@dataclass
class Stage:
    """A machine to bring into a state."""

    window: ShopWindow
    shop: Shop
    vision: ClipVision
    terminal: SimulatedTerminal
    dispenser: SimulatedDispenser
    attendant: Attendant
    service: ServiceController
    pin: Attendant

    def go(self, seconds: float = 0.1, times: int = 12) -> None:
        for _ in range(times):
            self.window.advance(seconds)
            self.service.advance(seconds)

    def enter_service(self) -> ServiceScreen:
        self.window.service_requested.emit()
        self.pin.answers = [IdConfirmed(self.pin.sale, "pin")]
        self.go(times=2)
        assert self.service.screen is not None
        return self.service.screen

    def open(self, kind: type[Page]) -> Page:
        """A page of service mode, with everything that it reads."""
        screen = self.enter_service()
        (page,) = (page for page in screen.pages if isinstance(page, kind))
        screen.open(page)
        while page.is_busy:
            time.sleep(0.005)
        self.go(times=2)
        return page

    def close(self) -> None:
        """Free the window now, not whenever an event loop runs."""
        self.window.leave()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(self.window, QEvent.Type.DeferredDelete.value)

    def choose(self, slot: str = "A2", *, camera: bool = True) -> None:
        self.shop.touch(Start(camera))
        self.shop.touch(Choose(slot))

    def buy(self, slot: str = "A2", *, camera: bool = True) -> None:
        self.choose(slot, camera=camera)
        self.shop.touch(Continue())


def _products(stage: Stage) -> None:
    stage.shop.operate(SetStock("A3", 1, "correction"))
    stage.shop.touch(Start(False))


def _away(stage: Stage) -> None:
    stage.vision.state = VisionState.NO_CAMERA
    stage.shop.touch(Start(True))


def _restarting(stage: Stage) -> None:
    stage.vision.state = VisionState.RESTARTING
    stage.shop.touch(Start(True))


def _wrong_pin(stage: Stage) -> None:
    stage.buy("C3", camera=False)
    stage.attendant.answers = [WrongPin(stage.shop.snapshot.sale or "")]
    stage.attendant.wait = 27.0


def _refused(stage: Stage) -> None:
    stage.buy("C3", camera=False)
    stage.attendant.answers = [IdRefused(stage.shop.snapshot.sale or "", "pin")]


def _pay(behaviour: Payment, vend: Vend = Vend.WAIT, *, camera: bool = False) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        stage.terminal.default, stage.dispenser.default = behaviour, vend
        stage.buy(camera=camera)

    return play


def _refunding(stage: Stage) -> None:
    stage.terminal.unheard = 99
    _pay(Payment.APPROVE, Vend.JAM)(stage)


def _refund_pending(stage: Stage) -> None:
    _refunding(stage)
    stage.go(1.0, 22)


def _still_there(stage: Stage) -> None:
    stage.shop.touch(Start(False))
    stage.go(1.0, 52)


def _out_of_order(stage: Stage) -> None:
    stage.terminal.vanish()


def _out_of_order_claim(stage: Stage) -> None:
    _pay(Payment.VANISH)(stage)
    stage.go(1.0, 45)


def _gate_waits(stage: Stage) -> None:
    stage.window.service_requested.emit()
    stage.pin.wait = 27.0


def _journal(stage: Stage) -> None:
    _pay(Payment.APPROVE, Vend.DROP)(stage)
    stage.go()
    stage.open(JournalPage)


def _stock(stage: Stage) -> StockPage:
    page = stage.open(StockPage)
    assert isinstance(page, StockPage)
    return page


def _export(stage: Stage) -> ExportPage:
    page = stage.open(ExportPage)
    assert isinstance(page, ExportPage)
    page.find_sticks = lambda: [Path("/media/kiosk/STICK"), Path("/media/kiosk/ANOTHER STICK")]
    return page


def _written(stage: Stage) -> None:
    page = _export(stage)
    stage.go(times=1)
    page.status.set_text(
        stage.service.strings.exported("kiosk-journal-2026-01-02-030405.csv, kiosk-journal-2026-01-02-030405.json")
    )


def _settle(vend: Vend, seconds: int) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        _pay(Payment.APPROVE, vend)(stage)
        stage.go(1.0, seconds)
        stage.open(SettlePage)

    return play


def _owed(stage: Stage) -> None:
    stage.terminal.unheard = 1000
    _pay(Payment.APPROVE, Vend.DROP)(stage)
    stage.go(1.0, 300)
    stage.open(SettlePage)


def _tested(stage: Stage) -> None:
    page = stage.open(TestsPage)
    assert isinstance(page, TestsPage)
    page.pay.click()
    stage.go()


SERVICE: dict[str, Callable[[Stage], object]] = {
    "service-gate": lambda stage: stage.window.service_requested.emit(),
    "service-gate-waits": _gate_waits,
    "service": lambda stage: stage.enter_service(),
    "service-camera": lambda stage: stage.open(CameraPage),
    "service-health": lambda stage: stage.open(HealthPage),
    "service-stock": _stock,
    "service-slot": lambda stage: _stock(stage).edit("A2"),
    "service-nothing-to-settle": lambda stage: stage.open(SettlePage),
    "service-in-doubt": _settle(Vend.SILENCE, 80),
    "service-blocked": _settle(Vend.JAM, 30),
    "service-owed": _owed,
    "service-tests": lambda stage: stage.open(TestsPage),
    "service-tested": _tested,
    "service-journal": _journal,
    "service-no-stick": lambda stage: stage.open(ExportPage),
    "service-export": _export,
    "service-written": _written,
    "service-machine": lambda stage: stage.open(MachinePage),
}
"""Service mode, which no customer sees."""

SCENES: dict[str, Callable[[Stage], None]] = {
    "attract": lambda _: None,
    "products": _products,
    "products-live": lambda stage: stage.shop.touch(Start(True)),
    "product": lambda stage: stage.choose(camera=False),
    "product-live": lambda stage: stage.choose("C2"),
    "camera-away": _away,
    "camera-restarting": _restarting,
    "age-check": lambda stage: stage.buy("C3"),
    "ask-id": lambda stage: stage.buy("C3", camera=False),
    "ask-id-wrong-pin": _wrong_pin,
    "id-refused": _refused,
    "paying": _pay(Payment.WAIT),
    "paying-live": _pay(Payment.WAIT, camera=True),
    "declined": _pay(Payment.DECLINE),
    "declined-live": _pay(Payment.DECLINE, camera=True),
    "claim": _pay(Payment.VANISH),
    "claim-live": _pay(Payment.VANISH, camera=True),
    "timed-out": _pay(Payment.TIME_OUT),
    "dispensing": _pay(Payment.APPROVE),
    "dispensing-live": _pay(Payment.APPROVE, camera=True),
    "refunding": _refunding,
    "refunded": _pay(Payment.APPROVE, Vend.JAM),
    "refund-pending": _refund_pending,
    "receipt": _pay(Payment.APPROVE, Vend.DROP),
    "still-there": _still_there,
    "out-of-order": _out_of_order,
    "out-of-order-claim": _out_of_order_claim,
}


def moment_of_clip() -> tuple[Observation, Preview]:
    """What vision makes of the demo clip around `MOMENT`."""
    pipeline = Pipeline(load())
    pipeline.sends_landmarks = True  # the operator's page has them; no other shows them
    source = open_source("demo")
    observation, image = None, None
    for frame in source.frames():
        if frame is None or frame.time < MOMENT - 2:
            continue
        observation, image = pipeline.process(frame), frame.image
        if frame.time >= MOMENT:
            break
    source.close()
    assert observation is not None
    assert image is not None
    return observation, Preview(observation.frame, image, (image.shape[1], image.shape[0]))


def stage_for(
    journal: Journal,
    vision: ClipVision,
    size: tuple[int, int],
    appearance: Appearance,
    journal_path: Path = Path("nowhere", "journal.db"),
) -> Stage:
    """A machine on its first screen. Its time stands still but for `Stage.go`. Service mode needs `journal_path`."""
    path = catalogs.demo_path()
    catalog = catalogs.load(path)
    terminal, dispenser, attendant = SimulatedTerminal(), SimulatedDispenser(), Attendant()
    verifiers: list[Any] = [attendant, SimulatedIdReader()]
    shop = Shop(catalog, journal, terminal, dispenser, verifiers, automatic_age_check=True)
    policy = AgeCheckConfig(automatic_pass=True, seconds=6.0)  # so long that it is seen half done
    feed, pin = VisionFeed(vision), Attendant()
    window = ShopWindow(shop, feed, catalog, path, policy, appearance)
    window.timer.stop()
    context = ServiceContext(shop, feed, catalog, journal, OperatorSettings(journal), journal_path)
    service = ServiceController(window, context, pin, Backlight(journal_path.parent / "no light"))
    service.timer.stop()
    window.resize(*size)
    window.show()
    stage = Stage(window, shop, vision, terminal, dispenser, attendant, service, pin)
    stage.go(times=3)
    return stage


def play(stage: Stage, scene: str, language: str) -> None:
    """From the first screen to a scene."""
    stage.window.set_language(language)
    (SCENES | SERVICE)[scene](stage)
    stage.go()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    parser.add_argument("--size", nargs="+", default=SIZES)
    parser.add_argument("--language", nargs="+", default=LANGUAGES)
    parser.add_argument("--only", nargs="+", default=[*SCENES, *SERVICE], choices=[*SCENES, *SERVICE])
    parser.add_argument(
        "--density", type=float, default=None, help="pixels per millimetre; default that of 10.1 and 32 inch"
    )
    parser.add_argument("--large-text", action="store_true")
    parser.add_argument("--low-reach", action="store_true")
    options = parser.parse_args()
    app = QApplication([])
    seen = moment_of_clip()
    count = 0
    for size in options.size:
        width, height = map(int, size.split("x"))
        density = options.density or min(width, height) / (136.0 if width > height else 398.0)
        for language in options.language:
            appearance = Appearance(
                pixels_per_mm=density,
                mirrored=False,
                languages=(language, *(code for code in LANGUAGES if code != language)),
                large_text=options.large_text,
                low_reach=options.low_reach,
            )
            for scene in options.only:
                with tempfile.TemporaryDirectory() as folder:
                    journal_path = Path(folder) / "journal.db"
                    journal = Journal(journal_path)
                    stage = stage_for(journal, ClipVision(*seen), (width, height), appearance, journal_path)
                    play(stage, scene, language)
                    app.processEvents()
                    file = options.folder / language / size / f"{scene}.png"
                    file.parent.mkdir(parents=True, exist_ok=True)
                    stage.window.grab().save(str(file))
                    count += 1
                    stage.close()
                    journal.close()
    app.processEvents()
    print(f"{count} pictures in {options.folder.resolve()}")


if __name__ == "__main__":
    main()
