"""A simulated ID reader: the demo's control window or a test says what it read."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.vending.devices.protocols import IdConfirmed, IdMessage, IdRefused


class SimulatedIdReader:
    """An `IdVerifier` that reads an ID at each `present(years)`. `say` can also send late or repeated answers."""

    method = "reader"

    def __init__(self) -> None:
        self.wanted: tuple[str, int] | None = None
        """The sale that waits for an ID, and its minimum age in years."""
        self._answers: list[IdMessage] = []

    def begin(self, sale: str, minimum_age: int) -> None:
        """Starts to wait for an ID."""
        self.wanted = sale, minimum_age

    def end(self, sale: str) -> None:
        """Stops waiting."""
        if self.wanted and self.wanted[0] == sale:
            self.wanted = None

    def present(self, years: int) -> None:
        """Presents the ID of a customer of that age in years."""
        if self.wanted:
            sale, minimum_age = self.wanted
            self.say(IdConfirmed(sale, self.method) if years >= minimum_age else IdRefused(sale, self.method))

    def say(self, answer: IdMessage) -> None:
        """Sends any answer."""
        self._answers.append(answer)

    def close(self) -> None:
        """Does nothing: there is no device."""

    def poll(self, now: float) -> Sequence[IdMessage]:  # noqa: ARG002
        """Returns the answers since the last call."""
        answers, self._answers = self._answers, []
        return answers
