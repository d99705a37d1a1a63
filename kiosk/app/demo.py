"""The demo machine: simulated devices, a journal in a temporary folder, PINs that are new at each start."""

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
"""How long a card takes that is approved by itself."""

MOTOR_SECONDS = 2.0
_ROUNDS = 4  # of a hash that guards nothing: the PIN stands in the control window


class DemoMachine:
    """Everything of `kiosk run --demo` that a real machine would have as hardware. `folder` is its state."""

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
        """What the shop is given."""
        return Devices(self.terminal, self.dispenser, (self.attendant, self.reader))

    @property
    def says(self) -> str:
        """What whoever shows it has to know."""
        return (
            f"no real money, no real goods; staff PIN {self.attendant_pin}, service PIN {self.service_pin} "
            "(five taps in the upper left corner)"
        )

    def config(self, config: Config, *, camera: bool) -> Config:
        """The settings, with what a demonstration needs: state in its folder, an age check that can pass.

        Nothing is sold here, so a pass gives nothing away. Only a living face can be shown alive: a clip's is not asked
        to be.
        """
        return config.model_copy(
            update={
                "shop": config.shop.model_copy(update={"state": str(self._folder)}),
                # its sales are none: a fleet hears of them apart from the real ones
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
        """Whether payments and vends succeed by themselves, after a moment."""
        return self.terminal.default is simulated_terminal.Behaviour.APPROVE

    def set_automatic(self, automatic: bool) -> None:
        """Or else they wait for the control window."""
        terminal, dispenser = simulated_terminal.Behaviour, simulated_dispenser.Behaviour
        self.terminal.default = terminal.APPROVE if automatic else terminal.WAIT
        self.terminal.seconds = PAYMENT_SECONDS if automatic else 0.0
        self.dispenser.default = dispenser.DROP if automatic else dispenser.WAIT
        self.dispenser.seconds = MOTOR_SECONDS if automatic else 0.0
