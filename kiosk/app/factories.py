"""Builds what the parts of the kiosk need from the settings."""

from __future__ import annotations

from pathlib import Path

from kiosk.config import Config
from kiosk.ui.products.picture_check import check_drawable
from kiosk.vending.age_check import FRAME_WIDTH, MIN_FACE_WIDTH
from kiosk.vending.catalog import catalog as catalogs
from kiosk.vending.catalog.catalog import Catalog
from kiosk.vision.capture.camera import find_working_camera
from kiosk.vision.capture.source import DEMO
from kiosk.vision.process.settings import VisionSettings


def load_catalog(config: Config) -> tuple[Catalog, Path]:
    """Returns the catalogue and its path, after checking its images. Raises `CatalogError`, `PictureError`."""
    path = config.catalog_path or catalogs.demo_path()
    catalog = catalogs.load(path)
    pictures = {catalogs.picture_path(path, product) for product in catalog.product}
    check_drawable(sorted(picture for picture in pictures if picture and picture.parent == path.parent))
    return catalog, path


def min_face_width(config: Config) -> int:
    """Returns the smallest face width, in pixels, for an age check: the same distance at every camera width."""
    return round(MIN_FACE_WIDTH * config.camera.width / FRAME_WIDTH)


def vision_settings(config: Config, source: str, engine: Path | None, *, loop: bool = True) -> VisionSettings:
    """Returns the settings of the vision process."""
    return VisionSettings(
        source=source,
        loop=loop or source == DEMO,
        camera=config.camera,
        engine=engine or config.engine_path,
        smallest_face=config.vision.smallest_face,
        liveness=config.age_check.liveness,
    )


def resolve_source(config: Config, wanted: str | None = None) -> str:
    """Returns the source of frames; for `auto`, a camera if one works, else the demo clip."""
    source = wanted or config.camera.source
    return (find_working_camera() or DEMO) if source == "auto" else source
