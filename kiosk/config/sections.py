"""The settings of what is sold and how: goods, age check, payment, hand-out, and how long each screen waits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from kiosk.config.values import KIND, FilePath, Port, Seconds, Section

ATTACKS = (
    "of made-up attacks the check let through 0 of 234 prints, and of videos on a screen 3 of 20 with its edges in "
    "view and 17 of 20 without"
)
"""What was measured, for whoever turns the automatic pass on."""

_MOTOR = r"^[A-Za-z0-9]{1,8}=[A-Za-z0-9_.-]{1,32}$"


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
