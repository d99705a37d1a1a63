"""A whole machine with the customer's window and service mode. Only the test moves its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from kiosk.estimate import MeasuredAccuracy
from kiosk.security.pin import hash_pin
from kiosk.system.backlight import Backlight
from kiosk.ui.service.controller import ServiceController
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.service.screen import ServiceScreen
from kiosk.ui.service.vision_feed import VisionFeed
from kiosk.ui.shop.preferences import Appearance
from kiosk.ui.shop.window import ShopWindow
from kiosk.vending.catalog.catalog import demo_path, load
from kiosk.vending.devices.attendant import Attendant
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal.operator_settings import OperatorSettings
from kiosk.vending.journal.quarantine import open_journal
from kiosk.vending.sale.events import Cancel, Choose, Continue, Start
from kiosk.vending.shop import Shop
from kiosk.vision.process.messages import EngineInfo
from tests.fakes.ui import FakeVision

PIN, HASH = "4711", hash_pin("4711", 4)


def at_once(work: Callable[[], bool]) -> Future[bool]:
    """Run `work` at once, where the kiosk uses a thread."""
    future: Future[bool] = Future()
    future.set_result(work())
    return future


class ServiceRig:
    """A machine with its state in `folder`. Another rig in the same folder is the same machine after a restart."""

    def __init__(
        self,
        folder: Path,
        *,
        size: tuple[int, int] = (1280, 800),
        pixels_per_mm: float = 4.3,
        locked: bool = False,
        languages: tuple[str, ...] = ("en", "zh", "de"),
    ) -> None:
        self.folder = folder
        self.journal = open_journal(folder / "journal.db")
        self.terminal, self.dispenser = SimulatedTerminal(), SimulatedDispenser()
        self.vision = FakeVision()
        self.vision.engine = EngineInfo(  # type: ignore[attr-defined]
            name="ONNX Runtime on the CPU",
            precision="fp32",
            accuracy=MeasuredAccuracy(
                gender=0.896, age=0.577, age_within_one=0.938, faces=8672, measured_on="FairFace"
            ),
        )
        catalog = load(demo_path())
        self.shop = Shop(catalog, self.journal, self.terminal, self.dispenser)
        self.feed = VisionFeed(self.vision)
        appearance = Appearance(languages=languages, pixels_per_mm=pixels_per_mm, locked=locked)
        self.window = ShopWindow(self.shop, self.feed, catalog, demo_path(), appearance=appearance)
        self.window.timer.stop()
        self.settings = OperatorSettings(self.journal)
        self.context = ServiceContext(self.shop, self.feed, catalog, self.journal, self.settings, folder / "journal.db")
        self.run_check: Callable[[Callable[[], bool]], Future[bool]] = at_once
        self.backlight = Backlight(folder / "backlight")
        pin = Attendant(HASH, folder / "service-tries", run=lambda check: self.run_check(check))
        self.service = ServiceController(self.window, self.context, pin, self.backlight)
        self.service.timer.stop()
        self.window.resize(*size)
        self.window.show()
        self.tick()

    def close(self) -> None:
        """End the program."""
        self.window.leave()
        self.journal.close()

    def tick(self, times: int = 3, seconds: float = 0.1) -> None:
        """Let `seconds` pass, `times` times."""
        for _ in range(times):
            self.window.advance(seconds)
            self.service.advance(seconds)

    def type(self, pin: str) -> None:
        """Type and confirm a PIN in the dialog."""
        for digit in pin:
            self.service.pin_dialog.pad.keys[digit].click()
        self.service.pin_dialog.pad.keys["!"].click()
        self.tick()

    def enter(self) -> ServiceScreen:
        """Open service mode with the right PIN."""
        self.window.service_requested.emit()
        self.type(PIN)
        return self.screen

    @property
    def screen(self) -> ServiceScreen:
        assert self.service.screen is not None
        return self.service.screen

    def open(self, kind: type[Page], *, wait: bool = True) -> Page:
        """Open a page by its tile. `wait` also waits for the thread in which the page reads."""
        index = next(index for index, page in enumerate(self.screen.pages) if isinstance(page, kind))
        self.screen.tiles[index].click()
        if wait:
            self.wait(self.screen.pages[index])
        self.tick()
        return self.screen.pages[index]

    def wait(self, page: Page) -> None:
        """Wait until the thread in which `page` reads or writes has ended, and show the result."""
        while page.is_busy:
            time.sleep(0.002)
        self.tick(1)

    def buy(self, slot: str) -> None:
        """Buy the product of `slot`, and leave its last screen."""
        for touch in (Start(False), Choose(slot), Continue()):
            self.shop.touch(touch)
        self.tick(8)
        self.shop.touch(Cancel())
        self.tick()
