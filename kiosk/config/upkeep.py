"""The settings of who looks after the machine: service mode, its log, the fleet."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from kiosk.config.values import FilePath, Section


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
