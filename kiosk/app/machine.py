"""`kiosk run`: builds the machine from its settings, starts its parts in order and stops them in reverse.

The order is: settings and catalogue; the journal, which detects another running kiosk; the devices; the vision process;
the sale, which resolves what the last run left open; and last the window, so that nobody can touch what is not ready.
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
from kiosk.app import fleet as fleet_factory
from kiosk.app.demo import DemoMachine
from kiosk.app.devices import Devices, NotReadyError
from kiosk.app.factories import load_catalog, min_face_width, resolve_source, vision_settings
from kiosk.common import log_setup
from kiosk.config import Config, last_good
from kiosk.security.file_permissions import check_trusted, make_private, permission_warnings
from kiosk.security.pin import load_pins
from kiosk.system.display_probe import NoDisplayError, window_problem
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
"""Milliseconds between two calls of the fleet."""


@dataclass(frozen=True)
class RunOptions:
    """The options of the command line."""

    demo: bool = False
    source: str | None = None
    engine: Path | None = None
    fullscreen: bool = False
    portrait: bool = False
    seconds: float | None = None
    settings: Path | None = None
    """The settings file."""
    settings_fault: str = ""
    """What is wrong with that file, if the machine runs with the settings of its last start."""
    unattended: bool = False
    """Whether a service manager started the machine. Then it starts without everything that a sale does not need."""


@dataclass(frozen=True)
class Machine:
    """The parts that run behind the window."""

    config: Config
    source: str
    catalog: Catalog
    catalog_path: Path
    journal: Journal
    vision: VisionProcess
    shop: Shop
    service_pin: Attendant
    demo: DemoMachine | None


def run(config: Config, options: RunOptions) -> None:
    """Runs the machine until its window is closed. Raises a `KioskError` if it cannot start."""
    with ExitStack() as running:
        show(start_machine(config, options, running), options)


def start_machine(config: Config, options: RunOptions, running: ExitStack, *, has_screen: bool = False) -> Machine:
    """Starts everything except the window; closing `running` stops it. Raises a `KioskError` if that fails.

    `has_screen`: whether a window is already shown, so that the display needs no check.
    """
    _disable_core_dumps()
    log_setup.set_up(config.log_path)
    if options.demo:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="kiosk-demo-")))
        demo = DemoMachine(folder)
        config = demo.config(config, camera=is_camera(resolve_source(config, options.source)))
        pins = demo.pins
    else:
        demo = None
        devices.check(config)
        pins = load_pins(config.pins_path)
    if not options.unattended:
        engines.check(options.engine or config.engine_path)
    source = _checked_source(config, options)
    catalog, catalog_path = load_catalog(config)
    warnings = [] if options.demo else check_permissions(config, options)
    if not has_screen and (reason := window_problem()):
        raise NoDisplayError(f"{reason}: the machine needs a screen")
    if demo:
        print(f"simulated: {demo.announcement}; journal {config.journal_path}", file=sys.stderr, flush=True)
    make_private(config.state_folder)
    journal = quarantine.open_journal(config.journal_path)
    running.callback(journal.close)
    parts = demo.devices if demo else devices.open_devices(config)
    running.callback(parts.close)
    engine = options.engine or fleet_factory.select_engine(config)
    vision = VisionProcess(_patient(vision_settings(config, source, engine)), VisionMode.PRESENCE)
    running.callback(vision.stop)
    vision.start()
    shop = _shop(config, catalog, journal, parts)
    service_pin = Attendant(pins.service, config.state_folder / "service-tries")
    running.callback(service_pin.close)
    if options.settings and not (options.demo or options.settings_fault):
        last_good.save(config, options.settings)
    log_warnings(options.settings_fault, warnings)
    return Machine(config, source, catalog, catalog_path, journal, vision, shop, service_pin, demo)


def check_permissions(config: Config, options: RunOptions) -> list[str]:
    """Returns who else may change settings and catalogue, one line each.

    Raises `UntrustedFileError` if everybody may.
    """
    settings = None if options.settings_fault else options.settings
    warnings: list[str] = []
    for path in filter(None, (settings, config.catalog_path)):
        check_trusted(path)
        warnings += permission_warnings(path)
    return warnings


def log_warnings(settings_fault: str, warnings: Iterable[str]) -> None:
    """Logs warnings once, when the machine has started, however many attempts that took."""
    if settings_fault:
        log.error("%s", settings_fault)
    for warning in warnings:
        log.warning("%s", warning)


def _disable_core_dumps() -> None:
    """Disables core dumps, which could contain an image. The vision process inherits this."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _checked_source(config: Config, options: RunOptions) -> str:
    """Returns the source of frames. A machine that sells needs a camera: a clip could pass an age check."""
    if options.demo:
        source = resolve_source(config, options.source)
        if not is_camera(source):
            open_source(source).close()
        elif not gives_frames(source):
            print(f"camera {source} gives no picture: the kiosk keeps trying", file=sys.stderr, flush=True)
        return source
    source = options.source or config.camera.source
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


def show(machine: Machine, options: RunOptions) -> None:
    """Shows the window until it is closed."""
    # Qt is loaded last, after everything that can fail.
    from kiosk.app.shutdown import ShutdownGuard
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
    fullscreen = options.fullscreen or config.window.fullscreen or not options.demo
    settings = OperatorSettings(journal)
    fleet = fleet_factory.FleetController(config, shop, settings, machine.vision) if config.fleet.broker else None
    feed = VisionFeed(machine.vision, fleet.count_visitors if fleet else None)
    window = ShopWindow(
        shop,
        feed,
        catalog,
        machine.catalog_path,
        config.age_check,
        _appearance(config, settings, mirrored=is_camera(machine.source), locked=not options.demo),
        groups=machine.vision.groups,
        min_face_width=min_face_width(config),
    )
    window.wake_on(machine.vision.fileno())
    volume = round(config.sound.volume * 100)
    context = ServiceContext(
        shop, feed, catalog, journal, settings, config.journal_path, volume, options.settings_fault
    )
    ServiceController(window, context, machine.service_pin)
    width, height = config.window.width, config.window.height
    if options.portrait and width > height:
        width, height = height, width
    window.resize(width, height)
    fit_screen(window)
    if fullscreen:
        window.showFullScreen()
    display = DisplayWatch(app, window, fullscreen=fullscreen)
    controls = DemoControls(machine.demo, shop) if machine.demo else None
    watchdog = WatchdogTimer(window, _health_checks(shop, machine.journal, machine.vision, options.settings_fault))
    if fleet:
        fleet.start()
        _call_regularly(fleet, window)
    try:
        watchdog.start()
        if controls:
            controls.show_beside(window)
            window.destroyed.connect(controls.close)
        show_until_closed(app, window, options.seconds, ShutdownGuard(shop))
    finally:
        watchdog.stop()
        display.stop()
        if controls:
            controls.close()
        if fleet:
            fleet.stop()


def _call_regularly(fleet: fleet_factory.FleetController, window: ShopWindow) -> None:
    from PyQt6.QtCore import QTimer

    timer = QTimer(window)
    timer.setInterval(FLEET_MS)
    timer.timeout.connect(lambda: fleet.advance(time.monotonic()))
    timer.start()


def _health_checks(shop: Shop, journal: Journal, vision: VisionProcess, fault: str = "") -> HealthChecks:
    """Returns the health checks of the machine's parts. `fault` is appended to the status."""

    def journal_lives() -> bool:
        # A journal that cannot be written now may recover. A damaged one is only replaced at the next start.
        return not shop.journal_is_damaged and ("journal" in shop.snapshot.faults or journal.is_readable())

    def vision_lives() -> bool:
        # An unusable engine, or a clip at its end, would be the same after a restart.
        return vision.state not in (VisionState.STARTING, VisionState.RESTARTING)

    def status() -> str:
        faults = shop.snapshot.faults
        said = f"out of order: {', '.join(sorted(faults))}" if faults else "selling"
        return f"{said}; {fault}" if fault else said

    memory = MemoryWatch()

    def outgrown() -> int:
        # A sale, or service mode with a whole journal in memory, may use more.
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
