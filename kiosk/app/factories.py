"""From the settings to what the parts of the kiosk want to be told."""

from __future__ import annotations

from pathlib import Path

from kiosk.config import Config
from kiosk.ui.products.picture_check import check_drawable
from kiosk.vending.age_check import AgePolicy
from kiosk.vending.catalog import catalog as catalogs
from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.sale.state import Timing
from kiosk.vision.capture.camera import CameraMode, working_camera
from kiosk.vision.capture.source import DEMO
from kiosk.vision.process.settings import VisionSettings

_WIDTH = 640
"""Pixels across the frame for which `AgePolicy.smallest_face` is meant: a wider one asks for the same distance."""


def catalog_of(config: Config) -> tuple[Catalog, Path]:
    """The catalogue and its own path, whose pictures can be drawn. Raises `CatalogError`, `PictureError`."""
    path = config.catalog_path or catalogs.demo_path()
    catalog = catalogs.load(path)
    pictures = {catalogs.picture_path(path, product) for product in catalog.product}
    check_drawable(sorted(picture for picture in pictures if picture and picture.parent == path.parent))
    return catalog, path


def policy_of(config: Config) -> AgePolicy:
    """When an age check passes; the legal age in it is each product's."""
    check = config.age_check
    return AgePolicy(
        margin=check.margin,
        threshold=check.threshold,
        seconds=check.seconds,
        good_pictures=check.good_pictures,
        time_out=check.time_out,
        automatic_pass=check.automatic_pass,
        live_needed=check.liveness,
        smallest_face=round(AgePolicy.smallest_face * config.camera.width / _WIDTH),
    )


def timing_of(config: Config) -> Timing:
    """How long each phase waits."""
    return Timing(**config.time_outs.model_dump())


def vision_settings(config: Config, source: str, engine: Path | None, *, loop: bool = True) -> VisionSettings:
    """What the vision process is to do."""
    return VisionSettings(
        source=source,
        loop=loop or source == DEMO,
        mode=CameraMode(config.camera.width, config.camera.height, config.camera.rate),
        engine=engine or config.engine_path,
        smallest_face=config.vision.smallest_face,
        liveness=config.age_check.liveness,
    )


def source_of(config: Config, wanted: str | None = None) -> str:
    """The source of pictures, with `auto` decided: a camera if there is one, else the demo clip."""
    source = wanted or config.camera.source
    return (working_camera() or DEMO) if source == "auto" else source
