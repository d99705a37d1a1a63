"""Opens a source of frames: a camera, a video file or GIF, a folder of images, or the demo clip."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Protocol

from kiosk.config import CameraConfig
from kiosk.vision.capture.camera import Webcam, is_camera
from kiosk.vision.capture.files import Clip, Pictures, is_picture, list_pictures
from kiosk.vision.capture.frame import Frame, SourceError

DEMO = "demo"
"""The source name of the bundled clip."""


class Source(Protocol):
    """A source of frames."""

    @property
    def name(self) -> str:
        """A name for messages, such as `camera /dev/video0`."""

    @property
    def live(self) -> bool:
        """Whether frames arrive at their own pace and are lost if nobody reads them."""

    @property
    def problem(self) -> str:
        """One line that says why a camera gives no frame."""

    def frames(self) -> Iterator[Frame | None]:
        """Yields frames until the end; None while a camera is disconnected. Raises `SourceError` if it cannot go on."""

    def set_frame_interval(self, seconds: float) -> None:
        """Asks for frames at least `seconds` apart; 0 asks for every frame.

        The source may skip decoding the others but keeps its pace. May be called from another thread.
        """

    def close(self) -> None:
        """Releases the device or file."""


def open_source(
    spec: str, *, loop: bool = False, camera: CameraConfig | None = None, wait_for_device: bool = False
) -> Source:
    """Opens a webcam ("0", "/dev/video0", `ANY_CAMERA`), a file, a folder of images, or the demo clip ("demo").

    Raises `SourceError` for what cannot be opened; with `wait_for_device`, not for a camera.
    """
    if spec == DEMO:
        return Clip(Path(str(resources.files("kiosk.assets") / "demo.mp4")), loop=loop, name="the demo clip")
    if is_camera(spec):
        return Webcam(spec, camera, wait_for_device=wait_for_device)
    path = Path(spec)
    if path.is_dir():
        return Pictures(list_pictures(path), loop=loop, name=f"folder {path}")
    if not path.exists():
        raise SourceError(f"{path} does not exist: a source is a camera (0, /dev/video0), a file, a folder or {DEMO!r}")
    if not path.is_file():
        raise SourceError(f"{path} is neither a file nor a folder of pictures")
    if is_picture(path):
        return Pictures([path], loop=loop, name=f"picture {path}")
    return Clip(path, loop=loop)
