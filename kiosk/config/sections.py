"""The tables of the settings file, one class each: every key with its default, limits and description."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from kiosk.common.strict_model import StrictModel

ATTACKS = (
    "in a test with made-up attacks the check let through 0 of 234 prints, and of videos on a screen 3 of 20 with the "
    "screen's edges in view and 17 of 20 without"
)
"""The measured results that an operator reads before turning the automatic pass on."""

Language = Literal["en", "zh", "de"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=1, le=3600)]


def _check_length(path: str) -> str:
    """Linux allows 255 bytes a name and 4096 a path; this leaves room for the settings' folder and for suffixes."""
    if len(path.encode()) > 2048 or any(len(name.encode()) > 200 for name in path.split("/")):
        raise ValueError("the path is too long: a name may have up to 200 bytes, and the whole path up to 2048")
    return path


FilePath = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]*$"), AfterValidator(_check_length)]
Port = Annotated[str, Field(pattern=r"^(none|/[^\x00]+)$"), AfterValidator(_check_length)]
_KIND = r"^[a-z][a-z0-9_-]{0,31}$"
_MOTOR = r"^[A-Za-z0-9]{1,8}=[A-Za-z0-9_.-]{1,32}$"


class Section(StrictModel):
    """One table of the settings file. The docstring of each table is its heading in `kiosk config init`."""


class CameraConfig(Section):
    """The camera."""

    source: FilePath = Field(
        "auto",
        description='"auto" (the first camera that works, else the demo clip), "0", "/dev/video0", a file or a folder. '
        "With several cameras, use the /dev/v4l/by-id name that `kiosk doctor` prints: their numbers may change",
    )
    width: Annotated[int, Field(ge=160, le=7680)] = Field(640, description="frame width to request, in pixels")
    height: Annotated[int, Field(ge=120, le=4320)] = Field(480, description="frame height to request, in pixels")
    rate: Annotated[float, Field(ge=1, le=240)] = Field(30.0, description="frames per second to request")


class VisionConfig(Section):
    """Face detection and estimates."""

    engine: FilePath = Field("auto", description='path of an engine, or "auto" for the best one that works here')
    smallest_face: Annotated[float, Field(ge=0.05, le=1)] = Field(
        0.2,
        description="height of the smallest face that is found at once, as a share of the frame's height. Smaller "
        "faces are found by a slower search",
    )


class WindowConfig(Section):
    """The screen."""

    fullscreen: bool = Field(
        False, description="whether the window of a demo fills the screen; a machine that sells always fills it"
    )
    width: Annotated[int, Field(ge=320, le=7680)] = Field(
        1280, description="window width in pixels; a window that is taller than wide gets the portrait layout"
    )
    height: Annotated[int, Field(ge=320, le=7680)] = Field(800, description="window height in pixels")
    width_mm: Annotated[float, Field(ge=0, le=5000)] = Field(
        0.0,
        description="width of the screen's visible area in millimetres, so that touch targets are at least 15 mm wide. "
        "0 asks the screen, but many screens do not know",
    )
    mirror: bool = Field(True, description="whether the live picture is mirrored")
    large_text: bool = Field(False, description="whether large text is on at the start of each visit")
    low_reach: bool = Field(
        False, description="whether all controls are in the lower half of the screen at the start of each visit"
    )
    languages: Annotated[tuple[Language, ...], Field(min_length=1, strict=False)] = Field(
        ("en", "zh", "de"), description="languages that customers can choose, in the order of the first screen"
    )
    language: Language = Field("en", description="language at the start of each visit; it must be one of `languages`")

    @model_validator(mode="after")
    def _check_languages(self) -> WindowConfig:
        if self.language not in self.languages:
            raise ValueError(f"language {self.language!r} is not among languages, {list(self.languages)}")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError(f"languages names one twice, {list(self.languages)}")
        return self


class SoundConfig(Section):
    """Sounds."""

    enabled: bool = Field(True, description="whether the machine plays sounds")
    volume: Fraction = Field(0.6, description="loudness, from silent to full; service mode can change it")


class ShopConfig(Section):
    """What the machine sells, and where it stores its sales."""

    catalog: FilePath = Field("demo", description='path of the catalogue, a TOML file; "demo" is the built-in one')
    state: FilePath = Field(
        "auto",
        description='folder for the journal of sales, the PINs and other state: a path, or "auto" for the user\'s '
        "state folder",
    )


class AgeCheckConfig(Section):
    """When a camera estimate replaces an ID check. The legal age of each product is in the catalogue.

    In every other case a person or an ID reader has to check an ID.
    """

    automatic_pass: bool = Field(
        False,
        description="whether an estimate alone may pass the age check. Expect attacks with a photo or a video held up "
        f"to the camera: {ATTACKS} (benchmarks/presentation_attacks/results.md). Before you turn this on, find out "
        "whether the law at the machine's location allows it",
    )
    margin: Annotated[int, Field(ge=0, le=50)] = Field(
        7, description="years above the legal age that the estimate has to show"
    )
    threshold: Annotated[float, Field(gt=0.5, le=1)] = Field(
        0.95, description="least probability that the person has reached that age"
    )
    seconds: Annotated[float, Field(ge=0.5, le=30)] = Field(
        1.5, description="seconds for which the face has to be in view, in good frames"
    )
    min_good_frames: Annotated[int, Field(ge=1, le=1000)] = Field(
        12, description="number of good frames of the face that a pass needs"
    )
    time_out: Annotated[float, Field(ge=2, le=120)] = Field(
        12.0, description="seconds after which the machine asks for an ID instead; more than `seconds`"
    )
    liveness: bool = Field(
        True, description="whether the customer has to turn the head a little, to show that the face is not a picture"
    )

    @model_validator(mode="after")
    def _check_time_out(self) -> AgeCheckConfig:
        if self.time_out <= self.seconds:
            raise ValueError(f"time_out is {self.time_out:g}, it must be more than seconds, {self.seconds:g}")
        return self


class IdConfig(Section):
    """Who checks an ID. If both are off, products that need an ID are not sold."""

    attendant: bool = Field(
        False,
        description="whether an attendant may confirm an ID with a PIN; set it with `kiosk config set-pin attendant`",
    )
    reader: Annotated[str, Field(pattern=_KIND)] = Field(
        "none", description='kind of ID reader; this version has no driver, so only "none" works'
    )


class PaymentConfig(Section):
    """Payment."""

    kind: Annotated[str, Field(pattern=_KIND)] = Field(
        "none",
        description='kind of terminal: "mdb" is a cashless reader on an MDB interface; with "none" the machine cannot '
        "sell. Only `kiosk run --demo` has a simulated terminal, which takes no money",
    )
    port: Port = Field(
        "none",
        description='serial port of the MDB interface, such as "/dev/serial/by-id/usb-..."; `kiosk doctor` lists the '
        "ports and what answers on them",
    )


class DispenserConfig(Section):
    """The dispenser."""

    kind: Annotated[str, Field(pattern=_KIND)] = Field(
        "none",
        description='kind of dispenser: "serial" is a board that uses the protocol of docs/dispenser-protocol.md; '
        'with "none" the machine cannot sell',
    )
    port: Port = Field(
        "none",
        description="serial port of the board; `kiosk doctor` lists the ports and what answers on them",
    )
    motors: Annotated[tuple[Annotated[str, Field(pattern=_MOTOR)], ...], Field(strict=False)] = Field(
        (), description='the slots whose motor has another name than the slot: a list such as ["A1=1", "A2=2"]'
    )

    @model_validator(mode="after")
    def _check_motors(self) -> DispenserConfig:
        slots, motors = zip(*(pair.split("=") for pair in self.motors), strict=True) if self.motors else ((), ())
        for names in (slots, motors):
            if len(set(names)) < len(names):
                raise ValueError(f"motors names one twice, {list(self.motors)}")
        return self

    @property
    def motor_of(self) -> dict[str, str]:
        """The motor's name, by slot, for slots whose motor has another name."""
        return dict(pair.split("=") for pair in self.motors)


class ServiceConfig(Section):
    """Service mode. There is no default PIN: set one with `kiosk config set-pin service`."""

    pins: FilePath = Field(
        "auto",
        description="file with the hashes of the PINs, which only the kiosk's own user may read: a path, or "
        '"auto" for pins.json in the state folder',
    )


class LogConfig(Section):
    """The log: one line for each event, and no personal data."""

    file: FilePath = Field(
        "none",
        description="path of the log file, which is rotated at 5 MB with four old files kept; "
        '"none" logs to standard error, which systemd stores',
    )


class FleetConfig(Section):
    """Reports to an MQTT 5 broker, and signed orders from it: see docs/fleet.md. No report says anything about a face.

    `broker` is empty on a machine that belongs to no fleet.
    """

    broker: Annotated[str, Field(pattern=r"^[^\s/]*$")] = Field("", description="host name of the broker, or empty")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8883, description="port of the broker")
    machine: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = Field(
        "", description="unique name of this machine: up to 64 letters, digits, - and _"
    )
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = Field(
        "kiosk", description="first part of every topic"
    )
    tls: bool = Field(True, description="whether the connection is encrypted and the broker's certificate is checked")
    ca: FilePath = Field(
        "auto",
        description='file of CA certificates (PEM) that may have signed the broker\'s certificate, or "auto" for the '
        "system's",
    )
    certificate: FilePath = Field("none", description='certificate (PEM) of this machine, or "none"')
    key: FilePath = Field(
        "none", description='private key of that certificate, which only the kiosk\'s own user may read, or "none"'
    )
    user: str = Field("", description="user name of this machine at the broker, where it uses a password")
    password: FilePath = Field(
        "none",
        description='file with the password in its first line, which only the kiosk\'s own user may read, or "none"',
    )
    health_every: Annotated[float, Field(ge=10, le=86400)] = Field(
        300.0, description="seconds between two health reports while nothing changes"
    )
    outbox: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        10_000, description="number of messages, besides sales, that are kept while the broker cannot be reached"
    )
    orders_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=]*$")] = Field(
        "",
        description="public key that verifies signed orders, as `kiosk fleet keygen` prints it; empty to accept none",
    )
    engines: FilePath = Field("none", description='folder of the engines that an order may select, or "none"')
    count_visitors: bool = Field(
        False,
        description="whether the machine reports each hour how many people of each age group came; a group of fewer "
        "than five is not reported. The screens then say so. Before you turn this on, find out whether the law "
        "allows it",
    )

    @model_validator(mode="after")
    def _check_connection(self) -> FleetConfig:
        if not self.broker:
            return self
        if self.machine in ("", "all"):
            raise ValueError(f"machine is {self.machine!r}, it must be a name that no other machine has, and not 'all'")
        if (self.certificate == "none") != (self.key == "none"):
            raise ValueError("certificate and key go together: give both, or none")
        if self.password != "none" and not self.user:
            raise ValueError("password needs a user")
        if not self.tls and self.password != "none" and self.broker not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("tls is false, so the password would be sent unencrypted: set tls, or use localhost")
        return self

    @property
    def ca_path(self) -> Path | None:
        """The file of CA certificates; None for the system's."""
        return _path_or_none(self.ca)

    @property
    def certificate_path(self) -> Path | None:
        """The machine's own certificate, or None."""
        return _path_or_none(self.certificate)

    @property
    def key_path(self) -> Path | None:
        """The private key of the machine's certificate, or None."""
        return _path_or_none(self.key)

    @property
    def password_path(self) -> Path | None:
        """The file of the machine's password, or None."""
        return _path_or_none(self.password)

    @property
    def engines_path(self) -> Path | None:
        """The folder of the engines that an order may select, or None."""
        return _path_or_none(self.engines)


class TimeoutsConfig(Section):
    """Seconds without a touch after which a screen ends."""

    warning: Seconds = Field(15.0, description="the screen asks so long before its end whether the customer is there")
    browsing: Seconds = Field(60.0, description="the list of products")
    selected: Seconds = Field(45.0, description="one product")
    age_check: Seconds = Field(30.0, description="the age check; `age_check.time_out` ends the check itself sooner")
    ask_id: Seconds = Field(120.0, description="waiting for an ID check")
    id_refused: Seconds = Field(30.0, description="the refusal after an ID check")
    paying: Seconds = Field(90.0, description="waiting for the payment")
    declined: Seconds = Field(30.0, description="a declined payment")
    dispensing: Seconds = Field(
        45.0, description="waiting for the drop sensor; this must be longer than any motor turns"
    )
    refunding: Seconds = Field(20.0, description="waiting for the terminal to give the money back")
    done: Seconds = Field(15.0, description="the receipt")
    service: Seconds = Field(600.0, description="service mode")

    @model_validator(mode="after")
    def _check_warning(self) -> TimeoutsConfig:
        warned = ("browsing", "selected", "ask_id", "id_refused", "paying", "declined", "service")
        shortest = min(warned, key=lambda name: getattr(self, name))
        if self.warning >= getattr(self, shortest):
            raise ValueError(
                f"warning is {self.warning:g}, it must be less than {shortest}, {getattr(self, shortest):g}"
            )
        return self


def _path_or_none(value: str) -> Path | None:
    return None if value in ("none", "auto") else Path(value)
