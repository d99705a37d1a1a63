"""Where frames come from: a webcam, a video file or GIF, a folder of pictures, the demo clip."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Protocol

from kiosk.config import CameraConfig
from kiosk.vision.capture.camera import Webcam, is_camera
from kiosk.vision.capture.files import Clip, Pictures, is_picture, pictures_in
from kiosk.vision.capture.frame import Frame, SourceError

DEMO = "demo"
"""The name of the bundled clip as a source."""


class Source(Protocol):
    """Somewhere frames come from."""

    @property
    def name(self) -> str:
        """What it is, for people."""

    @property
    def live(self) -> bool:
        """Whether frames come at their own pace and are lost if nobody takes them."""

    @property
    def trouble(self) -> str:
        """One line about why no frame comes, while a camera is away."""

    def frames(self) -> Iterator[Frame | None]:
        """Frames until the end; None while a camera is away and being looked for."""

    def want_every(self, seconds: float) -> None:
        """From now on only a frame this long after the last one is wanted; 0 for every frame.

        The source may spare itself the others, as long as it goes on at its pace. Called from another thread.
        """

    def close(self) -> None:
        """Gives the device or file back."""


def open_source(spec: str, *, loop: bool = False, camera: CameraConfig | None = None, patient: bool = False) -> Source:
    """Opens a webcam ("0", "/dev/video0", `ANY_CAMERA`), a file, a folder of pictures, or the demo clip ("demo").

    Raises `SourceError`, though not for a camera that is away where it is `patient`.
    """
    if spec == DEMO:
        return Clip(Path(str(resources.files("kiosk.assets") / "demo.mp4")), loop=loop, name="the demo clip")
    if is_camera(spec):
        return Webcam(spec, camera, patient=patient)
    path = Path(spec)
    if path.is_dir():
        return Pictures(pictures_in(path), loop=loop, name=f"folder {path}")
    if not path.exists():
        raise SourceError(f"{path} does not exist: a source is a camera (0, /dev/video0), a file, a folder or {DEMO!r}")
    if not path.is_file():
        raise SourceError(f"{path} is neither a file nor a folder of pictures")
    if is_picture(path):
        return Pictures([path], loop=loop, name=f"picture {path}")
    return Clip(path, loop=loop)
