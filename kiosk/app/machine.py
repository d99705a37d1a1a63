"""`kiosk run`: the machine, put together from its settings, started in order and stopped in the reverse one.

Settings and catalogue, then the journal (which finds out whether another kiosk runs), the devices, the vision process,
the sale (which resolves what the last run left open), and the window last: nobody can touch what is not ready.
"""

from __future__ import annotations

import importlib.metadata
import logging
import resource
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk import inference as engines
from kiosk.app import devices
from kiosk.app import fleet as fleet_parts
from kiosk.app.demo import DemoMachine
from kiosk.app.devices import Devices, NotReadyError
from kiosk.app.factories import catalog_of, min_face_width, source_of, vision_settings
from kiosk.common import log_setup
from kiosk.config import Config, last_good
from kiosk.security.file_permissions import check_trusted, make_private, permission_warnings
from kiosk.security.pin import load_pins
from kiosk.system.display_probe import NoDisplayError, why_no_window
from kiosk.system.watchdog import HealthChecks
from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.devices.attendant import Attendant
from kiosk.vending.journal import Journal, quarantine
from kiosk.vending.journal.operator_settings import OperatorSettings
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop
from kiosk.vision.capture.camera import ANY_CAMERA, gives_frames, is_camera
from kiosk.vision.capture.source import open_source
from kiosk.vision.process.memory_watch import MemoryWatch
from kiosk.vision.process.messages import VisionMode, VisionState
from kiosk.vision.process.settings import VisionSettings
from kiosk.vision.process.supervisor import VisionProcess

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from kiosk.ui.shop.preferences import Appearance
    from kiosk.ui.shop.window import ShopWindow

FLEET_MS = 250
"""Between two looks at what the fleet orders."""


@dataclass(frozen=True)
class RunOptions:
    """What the command line says beside the settings."""

    demo: bool = False
    source: str | None = None
    engine: Path | None = None
    fullscreen: bool = False
    portrait: bool = False
    seconds: float | None = None
    settings: Path | None = None
    """Their file."""
    settings_fault: str = ""
    """What is wrong with it, where the machine runs with those of its last start."""
    alone: bool = False
    """Whether a service manager starts it and nobody is there: what a sale can do without keeps it from nothing."""


@dataclass(frozen=True)
class Machine:
    """Everything that runs behind the window."""

    config: Config
    source: str
    catalog: Catalog
    catalog_path: Path
    journal: Journal
    vision: VisionProcess
    shop: Shop
    service_pin: Attendant
    demo: DemoMachine | None


def run(config: Config, wish: RunOptions) -> None:
    """Runs the machine until its window is closed. Raises whatever keeps it from starting, as a `KioskError`."""
    with ExitStack() as running:
        show(started(config, wish, running), wish)


def started(config: Config, wish: RunOptions, running: ExitStack, *, has_screen: bool = False) -> Machine:
    """Starts everything but the window, to be stopped by `running`. Raises whatever keeps it from starting.

    `has_screen`: whether a window is shown already, so that it needs no trial whether one can be.
    """
    _keep_no_core()
    log_setup.set_up(config.log_path)
    if wish.demo:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="kiosk-demo-")))
        demo = DemoMachine(folder)
        config = demo.config(config, camera=is_camera(source_of(config, wish.source)))
        pins = demo.pins
    else:
        demo = None
        devices.check(config)
        pins = load_pins(config.pins_path)
    if not wish.alone:
        engines.check(wish.engine or config.engine_path)
    source = _checked_source(config, wish)
    catalog, catalog_path = catalog_of(config)
    doubts = [] if wish.demo else check_permissions(config, wish)
    if not has_screen and (reason := why_no_window()):
        raise NoDisplayError(f"{reason}: the machine needs a screen")
    if demo:
        print(f"simulated: {demo.says}; journal {config.journal_path}", file=sys.stderr, flush=True)
    make_private(config.state_folder)
    journal = quarantine.open_journal(config.journal_path)
    running.callback(journal.close)
    parts = demo.devices if demo else devices.opened(config)
    running.callback(parts.close)
    engine = wish.engine or fleet_parts.chosen_engine(config)
    vision = VisionProcess(_patient(vision_settings(config, source, engine)), VisionMode.PRESENCE)
    running.callback(vision.stop)
    vision.start()
    shop = _shop(config, catalog, journal, parts)
    service_pin = Attendant(pins.service, config.state_folder / "service-tries")
    running.callback(service_pin.close)
    if wish.settings and not (wish.demo or wish.settings_fault):
        last_good.save(config, wish.settings)
    log_warnings(wish.settings_fault, doubts)
    return Machine(config, source, catalog, catalog_path, journal, vision, shop, service_pin, demo)


def check_permissions(config: Config, wish: RunOptions) -> list[str]:
    """Who may change settings and catalogue, a line each. Raises `UntrustedFileError` where that is everybody."""
    settings = None if wish.settings_fault else wish.settings
    doubts: list[str] = []
    for path in filter(None, (settings, config.catalog_path)):
        check_trusted(path)
        doubts += permission_warnings(path)
    return doubts


def log_warnings(settings_fault: str, doubts: Iterable[str]) -> None:
    """With a machine that started: once, however often that was tried."""
    if settings_fault:
        log.error("%s", settings_fault)
    for doubt in doubts:
        log.warning("%s", doubt)


def _keep_no_core() -> None:
    """A core dump could hold a picture of somebody. The vision process inherits this."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _checked_source(config: Config, wish: RunOptions) -> str:
    """The source of pictures. A machine that sells looks at people: a clip could pass an age check."""
    if wish.demo:
        source = source_of(config, wish.source)
        if not is_camera(source):
            open_source(source).close()
        elif not gives_frames(source):
            print(f"camera {source} gives no picture: it is being looked for", file=sys.stderr, flush=True)
        return source
    source = wish.source or config.camera.source
    if source == ANY_CAMERA:
        return ANY_CAMERA
    if not is_camera(source):
        raise NotReadyError(f"camera.source = {source!r}: a machine that sells needs a camera, such as /dev/video0")
    return source


def _patient(settings: VisionSettings) -> VisionSettings:
    """A machine that starts before its camera or engine is there sells, asks for IDs, and sees once it is."""
    return replace(settings, wait_for_device=True)


def _shop(config: Config, catalog: Catalog, journal: Journal, parts: Devices) -> Shop:
    return Shop(
        catalog,
        journal,
        parts.terminal,
        parts.dispenser,
        parts.verifiers,
        automatic_age_check=config.age_check.automatic_pass,
        timeouts=config.timeouts,
        version=importlib.metadata.version("facialnet-kiosk"),
    )


def show(machine: Machine, wish: RunOptions) -> None:
    """Shows the machine until its window is closed."""
    # Qt is loaded last, after everything that can refuse to start.
    from kiosk.app.shutdown import SaleEnd
    from kiosk.ui.demo.controls import DemoControls
    from kiosk.ui.demo.window import fit_screen
    from kiosk.ui.runtime.display_watch import DisplayWatch
    from kiosk.ui.runtime.event_loop import application, show_until_closed
    from kiosk.ui.runtime.watchdog_timer import WatchdogTimer
    from kiosk.ui.service.controller import ServiceController
    from kiosk.ui.service.page import ServiceContext
    from kiosk.ui.service.vision_feed import VisionFeed
    from kiosk.ui.shop.window import ShopWindow

    app = application()
    config, shop, catalog, journal = machine.config, machine.shop, machine.catalog, machine.journal
    fullscreen = wish.fullscreen or config.window.fullscreen or not wish.demo
    settings = OperatorSettings(journal)
    fleet = fleet_parts.FleetDesk(config, shop, settings, machine.vision) if config.fleet.broker else None
    feed = VisionFeed(machine.vision, fleet.see if fleet else None)
    window = ShopWindow(
        shop,
        feed,
        catalog,
        machine.catalog_path,
        config.age_check,
        _appearance(config, settings, mirrored=is_camera(machine.source), locked=not wish.demo),
        groups=machine.vision.groups,
        min_face_width=min_face_width(config),
    )
    window.wake_on(machine.vision.fileno())
    volume = round(config.sound.volume * 100)
    context = ServiceContext(shop, feed, catalog, journal, settings, config.journal_path, volume, wish.settings_fault)
    ServiceController(window, context, machine.service_pin)
    width, height = config.window.width, config.window.height
    if wish.portrait and width > height:
        width, height = height, width
    window.resize(width, height)
    fit_screen(window)
    if fullscreen:
        window.showFullScreen()
    display = DisplayWatch(app, window, fullscreen=fullscreen)
    controls = DemoControls(machine.demo, shop) if machine.demo else None
    heart = WatchdogTimer(window, _vitals(shop, machine.journal, machine.vision, wish.settings_fault))
    if fleet:
        fleet.start()
        _keep_telling(fleet, window)
    try:
        heart.start()
        if controls:
            controls.show_beside(window)
            window.destroyed.connect(controls.close)
        show_until_closed(app, window, wish.seconds, SaleEnd(shop))
    finally:
        heart.stop()
        display.stop()
        if controls:
            controls.close()
        if fleet:
            fleet.stop()


def _keep_telling(fleet: fleet_parts.FleetDesk, window: ShopWindow) -> None:
    from PyQt6.QtCore import QTimer

    timer = QTimer(window)
    timer.setInterval(FLEET_MS)
    timer.timeout.connect(lambda: fleet.advance(time.monotonic()))
    timer.start()


def _vitals(shop: Shop, journal: Journal, vision: VisionProcess, fault: str = "") -> HealthChecks:
    """How the parts of the machine are asked whether they are alive; `fault` is to be told while it is."""

    def journal_lives() -> bool:
        # What cannot be written now may be later; one that is damaged is put aside by a fresh start alone.
        return not shop.journal_is_damaged and ("journal" in shop.snapshot.faults or journal.is_readable())

    def vision_lives() -> bool:
        # An engine that cannot be used, or a clip at its end, is the same after a fresh start.
        return vision.state not in (VisionState.STARTING, VisionState.RESTARTING)

    def status() -> str:
        faults = shop.snapshot.faults
        said = f"out of order: {', '.join(sorted(faults))}" if faults else "selling"
        return f"{said}; {fault}" if fault else said

    memory = MemoryWatch()

    def outgrown() -> int:
        # In a sale or in service mode, which may hold a whole journal for a while, it may take what it needs.
        quiet = shop.snapshot.phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER)
        return memory.excess_bytes(time.monotonic(), quiet=True) if quiet else 0

    return HealthChecks(
        journal=journal_lives,
        vision=vision_lives,
        busy=lambda: shop.snapshot.sale is not None,
        status=status,
        outgrown=outgrown,
    )


def _appearance(config: Config, settings: OperatorSettings, *, mirrored: bool, locked: bool) -> Appearance:
    from PyQt6.QtGui import QGuiApplication

    from kiosk.ui.shop.preferences import Appearance
    from kiosk.vending.journal.operator_settings import VOLUME

    window = config.window
    screen = QGuiApplication.primaryScreen()
    others = tuple(language for language in window.languages if language != window.language)
    return Appearance(
        languages=(window.language, *others),
        large_text=window.large_text,
        low_reach=window.low_reach,
        pixels_per_mm=screen.size().width() / window.width_mm if screen and window.width_mm else None,
        sound=config.sound.enabled,
        volume=settings.get(VOLUME, round(config.sound.volume * 100)) / 100,
        mirrored=window.mirror and mirrored,
        locked=locked,
        counts=bool(config.fleet.broker) and config.fleet.count_visitors,
    )
