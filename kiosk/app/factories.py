"""From the settings to what the parts of the kiosk want to be told."""

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


def catalog_of(config: Config) -> tuple[Catalog, Path]:
    """The catalogue and its own path, whose pictures can be drawn. Raises `CatalogError`, `PictureError`."""
    path = config.catalog_path or catalogs.demo_path()
    catalog = catalogs.load(path)
    pictures = {catalogs.picture_path(path, product) for product in catalog.product}
    check_drawable(sorted(picture for picture in pictures if picture and picture.parent == path.parent))
    return catalog, path


def min_face_width(config: Config) -> int:
    """The least width in pixels of a face in an age check: at any camera width, it asks for the same distance."""
    return round(MIN_FACE_WIDTH * config.camera.width / FRAME_WIDTH)


def vision_settings(config: Config, source: str, engine: Path | None, *, loop: bool = True) -> VisionSettings:
    """What the vision process is to do."""
    return VisionSettings(
        source=source,
        loop=loop or source == DEMO,
        camera=config.camera,
        engine=engine or config.engine_path,
        smallest_face=config.vision.smallest_face,
        liveness=config.age_check.liveness,
    )


def source_of(config: Config, wanted: str | None = None) -> str:
    """The source of pictures, with `auto` decided: a camera if there is one, else the demo clip."""
    source = wanted or config.camera.source
    return (find_working_camera() or DEMO) if source == "auto" else source
