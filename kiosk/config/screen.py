"""The settings of what the machine sees, shows and plays."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from kiosk.config.values import FilePath, Fraction, Language, Section


class CameraConfig(Section):
    """Where the picture comes from."""

    source: FilePath = Field(
        "auto",
        description='"auto" (a camera if there is one, else the demo clip), "0", "/dev/video0", a file, a folder; of '
        "several cameras name one as `kiosk doctor` does, by /dev/v4l/by-id: their numbers may change",
    )
    width: Annotated[int, Field(ge=160, le=7680)] = Field(640, description="pixels to ask of a camera")
    height: Annotated[int, Field(ge=120, le=4320)] = Field(480, description="pixels to ask of a camera")
    rate: Annotated[float, Field(ge=1, le=240)] = Field(30.0, description="frames a second to ask of a camera")


class VisionConfig(Section):
    """How faces are looked for and judged."""

    engine: FilePath = Field("auto", description='"auto" or the path of an engine')
    smallest_face: Annotated[float, Field(ge=0.05, le=1)] = Field(
        0.2, description="height of the smallest face that is found at once, as a share of the frame's height"
    )


class WindowConfig(Section):
    """What the screen shows."""

    fullscreen: bool = Field(
        False, description="whether the window of a demo fills the screen; that of a machine that sells always does"
    )
    width: Annotated[int, Field(ge=320, le=7680)] = Field(
        1280, description="pixels of a window that does not fill the screen; higher than wide is laid out upright"
    )
    height: Annotated[int, Field(ge=320, le=7680)] = Field(800, description="the same, downward")
    width_mm: Annotated[float, Field(ge=0, le=5000)] = Field(
        0.0,
        description="millimetres from the screen's left to its right edge, for what is touched to be at least 15 mm "
        "wide; 0 asks the screen, and many do not know",
    )
    mirror: bool = Field(True, description="whether the picture is shown as in a mirror")
    large_text: bool = Field(False, description="whether every customer begins with large text")
    low_reach: bool = Field(False, description="whether every customer begins with all controls in the lower half")
    languages: Annotated[tuple[Language, ...], Field(min_length=1, strict=False)] = Field(
        ("en", "zh", "de"), description="languages to choose from, in their order on the first screen"
    )
    language: Language = Field("en", description="the language that every customer begins with, one of those")

    @model_validator(mode="after")
    def _is_one_of_them(self) -> WindowConfig:
        if self.language not in self.languages:
            raise ValueError(f"language {self.language!r} is not among languages, {list(self.languages)}")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError(f"languages names one twice, {list(self.languages)}")
        return self


class SoundConfig(Section):
    """What is heard."""

    on: bool = Field(True, description="whether there are sounds")
    volume: Fraction = Field(0.6, description="how loud; service mode can change it")
