"""The demo machine: simulated devices, a journal in a temporary folder, and new PINs at each start."""

from __future__ import annotations

import secrets
from pathlib import Path

from kiosk.app.devices import Devices
from kiosk.config import Config
from kiosk.security.pin import Pins, hash_pin
from kiosk.vending.devices.attendant import Attendant
from kiosk.vending.devices.simulated import dispenser as simulated_dispenser
from kiosk.vending.devices.simulated import terminal as simulated_terminal
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.id_reader import SimulatedIdReader
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal

PAYMENT_SECONDS = 2.5
"""Seconds until a simulated card is approved."""

MOTOR_SECONDS = 2.0
_ROUNDS = 4  # few, because the control window shows the PIN


class DemoMachine:
    """The simulated hardware of `kiosk run --demo`. `folder` holds its state."""

    def __init__(self, folder: Path) -> None:
        self.service_pin, self.attendant_pin = (f"{secrets.randbelow(10_000):04}" for _ in range(2))
        self.pins = Pins(hash_pin(self.service_pin, _ROUNDS), hash_pin(self.attendant_pin, _ROUNDS))
        self.terminal = SimulatedTerminal()
        self.dispenser = SimulatedDispenser()
        self.reader = SimulatedIdReader()
        self.attendant = Attendant(self.pins.attendant, folder / "attendant-tries")
        self._folder = folder
        self.set_automatic(True)

    @property
    def devices(self) -> Devices:
        """The devices for the shop."""
        return Devices(self.terminal, self.dispenser, (self.attendant, self.reader))

    @property
    def announcement(self) -> str:
        """One line for the person who starts the demo, with the PINs."""
        return (
            f"no real money, no real goods; staff PIN {self.attendant_pin}, service PIN {self.service_pin} "
            "(five taps in the upper left corner)"
        )

    def config(self, config: Config, *, camera: bool) -> Config:
        """Returns the settings changed for a demonstration: state in its folder, and an automatic age check.

        Nothing is sold, so a pass gives nothing away. Faces in a clip are never live, so liveness needs a `camera`.
        """
        return config.model_copy(
            update={
                "shop": config.shop.model_copy(update={"state": str(self._folder)}),
                # the fleet receives simulated sales apart from real ones
                "fleet": config.fleet.model_copy(
                    update={"topic": f"{config.fleet.topic}-demo", "machine": f"{config.fleet.machine}-demo"}
                ),
                "age_check": config.age_check.model_copy(
                    update={"automatic_pass": True, "liveness": config.age_check.liveness and camera}
                ),
            }
        )

    @property
    def automatic(self) -> bool:
        """Whether payments and vends succeed by themselves after a moment."""
        return self.terminal.default is simulated_terminal.Behaviour.APPROVE

    def set_automatic(self, automatic: bool) -> None:
        """Sets whether they succeed by themselves or wait for the control window."""
        terminal, dispenser = simulated_terminal.Behaviour, simulated_dispenser.Behaviour
        self.terminal.default = terminal.APPROVE if automatic else terminal.WAIT
        self.terminal.seconds = PAYMENT_SECONDS if automatic else 0.0
        self.dispenser.default = dispenser.DROP if automatic else dispenser.WAIT
        self.dispenser.seconds = MOTOR_SECONDS if automatic else 0.0
