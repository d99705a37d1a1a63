"""The tables of the settings file, one class each: its keys, their defaults, limits and descriptions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ATTACKS = (
    "of made-up attacks the check let through 0 of 234 prints, and of videos on a screen 3 of 20 with its edges in "
    "view and 17 of 20 without"
)
"""What was measured, for whoever turns the automatic pass on."""

_MOTOR = r"^[A-Za-z0-9]{1,8}=[A-Za-z0-9_.-]{1,32}$"

Language = Literal["en", "zh", "de"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=1, le=3600)]


def _can_be_there(path: str) -> str:
    """Linux's NAME_MAX and PATH_MAX, with room for the folder of the settings and for what lies beside the file."""
    if len(path.encode()) > 2048 or any(len(name.encode()) > 200 for name in path.split("/")):
        raise ValueError("no file's path is so long: a name has up to 200 bytes, and all of it up to 2048")
    return path


FilePath = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]*$"), AfterValidator(_can_be_there)]
Port = Annotated[str, Field(pattern=r"^(none|/[^\x00]+)$"), AfterValidator(_can_be_there)]
KIND = r"^[a-z][a-z0-9_-]{0,31}$"


class Section(BaseModel):
    """A table of the file. Its docstring heads it in the example."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


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


class ShopConfig(Section):
    """What is sold, and where the machine keeps what it must not forget."""

    catalog: FilePath = Field(
        "demo", description='the catalogue: the path of a TOML file, or "demo" for the kiosk\'s own'
    )
    state: FilePath = Field(
        "auto", description='folder of the journal and its like: a path, or "auto" for the user\'s own'
    )


class AgeCheckConfig(Section):
    """When the camera's estimate is enough. The legal age is each product's, in the catalogue.

    In every other case somebody has to look at an ID.
    """

    automatic_pass: bool = Field(
        False,
        description="whether an estimate may sell without an ID. A picture or video held up to the camera is an attack "
        f"to be expected; {ATTACKS} (benchmarks/presentation_attacks/results.md). Before you turn this on, find out "
        "whether the law where the machine stands allows it",
    )
    margin: Annotated[int, Field(ge=0, le=50)] = Field(
        7, description="years beyond the legal age that the estimate has to show"
    )
    threshold: Annotated[float, Field(gt=0.5, le=1)] = Field(
        0.95, description="least probability of that age, from over a half"
    )
    seconds: Annotated[float, Field(ge=0.5, le=30)] = Field(
        1.5, description="seconds for which the face must have been seen well"
    )
    good_pictures: Annotated[int, Field(ge=1, le=1000)] = Field(12, description="how many good pictures that takes")
    time_out: Annotated[float, Field(ge=2, le=120)] = Field(
        12.0, description="seconds after which an ID is asked for, whatever is still missing; more than `seconds`"
    )
    liveness: bool = Field(True, description="whether the face has to be shown alive, by turning the head a little")

    @model_validator(mode="after")
    def _ends_after_it_can_pass(self) -> AgeCheckConfig:
        if self.time_out <= self.seconds:
            raise ValueError(f"time_out is {self.time_out:g}, it must be more than seconds, {self.seconds:g}")
        return self


class IdConfig(Section):
    """Who looks at an ID. With neither, what needs one is not sold."""

    attendant: bool = Field(
        False, description="whether an attendant may confirm an ID by a PIN; `kiosk config set-pin attendant` sets it"
    )
    reader: Annotated[str, Field(pattern=KIND)] = Field(
        "none", description='the kind of ID reader; this version knows "none"'
    )


class PaymentConfig(Section):
    """How customers pay."""

    kind: Annotated[str, Field(pattern=KIND)] = Field(
        "none",
        description='the kind of terminal: "mdb" is a cashless reader on an MDB interface; with "none" nothing can be '
        "sold. A simulated one would give goods away: only `kiosk run --demo` has it",
    )
    port: Port = Field(
        "none",
        description='the serial port of an MDB interface, such as "/dev/serial/by-id/usb-..."; `kiosk doctor` names '
        "those that answer",
    )


class DispenserConfig(Section):
    """What hands out the goods."""

    kind: Annotated[str, Field(pattern=KIND)] = Field(
        "none",
        description='the kind of dispenser: "serial" is a board that speaks docs/dispenser-protocol.md; with "none" '
        "nothing can be sold",
    )
    port: Port = Field("none", description="the serial port of such a board; `kiosk doctor` names those that answer")
    motors: Annotated[tuple[Annotated[str, Field(pattern=_MOTOR)], ...], Field(strict=False)] = Field(
        (), description='where a slot and its motor have different names: a list such as ["A1=1", "A2=2"]'
    )

    @model_validator(mode="after")
    def _names_each_once(self) -> DispenserConfig:
        slots, motors = zip(*(pair.split("=") for pair in self.motors), strict=True) if self.motors else ((), ())
        for names in (slots, motors):
            if len(set(names)) < len(names):
                raise ValueError(f"motors names one twice, {list(self.motors)}")
        return self

    @property
    def motor_of(self) -> dict[str, str]:
        """The motor of each slot that has another name than its motor."""
        return dict(pair.split("=") for pair in self.motors)


class TimeOutsConfig(Section):
    """Seconds until a screen ends by itself, where nobody touches it."""

    warning: Seconds = Field(15.0, description="how long before its end it asks whether somebody is there")
    browsing: Seconds = Field(60.0, description="among the products")
    selected: Seconds = Field(45.0, description="at one product")
    age_check: Seconds = Field(30.0, description="before the camera; the check itself ends sooner")
    ask_id: Seconds = Field(120.0, description="until an ID was looked at")
    id_refused: Seconds = Field(30.0, description="after it was not accepted")
    paying: Seconds = Field(90.0, description="at the terminal")
    declined: Seconds = Field(30.0, description="after a payment did not happen")
    dispensing: Seconds = Field(45.0, description="for the drop sensor's answer; longer than any motor turns")
    refunding: Seconds = Field(20.0, description="for the terminal to give money back, while the customer waits")
    done: Seconds = Field(15.0, description="at the receipt")
    service: Seconds = Field(600.0, description="in service mode")

    @model_validator(mode="after")
    def _warns_within(self) -> TimeOutsConfig:
        warned = ("browsing", "selected", "ask_id", "id_refused", "paying", "declined", "service")
        shortest = min(warned, key=lambda name: getattr(self, name))
        if self.warning >= getattr(self, shortest):
            raise ValueError(
                f"warning is {self.warning:g}, it must be less than {shortest}, {getattr(self, shortest):g}"
            )
        return self


class ServiceConfig(Section):
    """The way in for whoever services the machine. There is no default PIN: `kiosk config set-pin service` sets it."""

    pins: FilePath = Field(
        "auto",
        description="file of the PINs' hashes, which nobody but the kiosk's own user may read: a path, or "
        '"auto" for pins.json in the state folder',
    )


class LogConfig(Section):
    """What the machine writes about itself: one line an event, and nothing about a person."""

    file: FilePath = Field(
        "none",
        description='a file, put aside at 5 MB and kept four times, or "none" for standard error, which systemd keeps',
    )


class FleetConfig(Section):
    """Reporting to an MQTT 5 broker, and signed orders from there: docs/fleet.md. It is told of nobody's face."""

    broker: Annotated[str, Field(pattern=r"^[^\s/]*$")] = Field("", description="the broker's name; empty for no fleet")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8883, description="its port")
    machine: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = Field(
        "", description="this machine's name, which no other has: up to 64 letters, digits, - and _"
    )
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = Field(
        "kiosk", description="what every topic begins with"
    )
    tls: bool = Field(True, description="whether the connection is encrypted and the broker has to show who it is")
    ca: FilePath = Field(
        "auto", description="certificates (PEM) that the broker's comes from, or \"auto\": the system's"
    )
    certificate: FilePath = Field("none", description='the machine\'s own certificate (PEM), or "none"')
    key: FilePath = Field("none", description='its key, which nobody but the kiosk\'s own user may read, or "none"')
    user: str = Field("", description="the machine's user name at the broker, where it goes by password")
    password: FilePath = Field(
        "none", description='file whose first line is the password, which nobody else may read, or "none"'
    )
    health_every: Annotated[float, Field(ge=10, le=86400)] = Field(
        300.0, description="seconds between two reports of a machine to which nothing happens"
    )
    outbox: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        10_000, description="messages beside sales that are kept for a broker that is away"
    )
    orders_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=]*$")] = Field(
        "", description="public key that orders are signed for, as `kiosk fleet new-key` prints it; empty for no orders"
    )
    engines: FilePath = Field("none", description='folder of the engines that an order may name, or "none"')
    audience: bool = Field(
        False,
        description="whether it is told how many people of each age group there were in an hour, from five on. "
        "The screens then say so; before you turn this on, find out whether the law allows it",
    )

    @model_validator(mode="after")
    def _can_connect(self) -> FleetConfig:
        if not self.broker:
            return self
        if self.machine in ("", "all"):
            raise ValueError(f"machine is {self.machine!r}, it must be a name that no other machine has, and not 'all'")
        if (self.certificate == "none") != (self.key == "none"):
            raise ValueError("certificate and key go together: give both, or none")
        if self.password != "none" and not self.user:
            raise ValueError("password needs a user")
        if not self.tls and self.password != "none" and self.broker not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("tls is false, and the password would be sent in the clear: only to localhost it may")
        return self
