"""An ID reader without a reader: whoever holds the control window says what it read."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.vending.devices.protocols import IdConfirmed, IdMessage, IdRefused


class SimulatedIdReader:
    """Reads an ID when told to: `present(years)`, also twice, late, or for a sale that is over."""

    method = "reader"

    def __init__(self) -> None:
        self.wanted: tuple[str, int] | None = None
        """The sale that waits, and its minimum age in years."""
        self._answers: list[IdMessage] = []

    def begin(self, sale: str, minimum_age: int) -> None:
        """Waits for an ID."""
        self.wanted = sale, minimum_age

    def end(self, sale: str) -> None:
        """Waits no more."""
        if self.wanted and self.wanted[0] == sale:
            self.wanted = None

    def present(self, years: int) -> None:
        """Somebody of that age holds out an ID."""
        if self.wanted:
            sale, minimum_age = self.wanted
            self.say(IdConfirmed(sale, self.method) if years >= minimum_age else IdRefused(sale, self.method))

    def say(self, answer: IdMessage) -> None:
        """Answers whatever it likes."""
        self._answers.append(answer)

    def close(self) -> None:
        """There is nothing to let go of."""

    def poll(self, now: float) -> Sequence[IdMessage]:  # noqa: ARG002
        """What was read since the last call."""
        answers, self._answers = self._answers, []
        return answers
