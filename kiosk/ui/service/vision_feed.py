"""Gives service mode the frames and observations that the customer's window polls."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.estimate import Observation
from kiosk.ui.widgets.animation import Pace
from kiosk.vision.process.messages import EngineInfo, Preview, Vision, VisionMode, VisionState


class VisionFeed:
    """A `Vision` that passes every call on to `vision`, and keeps the latest frame while `is_listening`.

    At other times no face is kept. `on_customers` gets the observations of customers, which exclude the operator's.
    """

    def __init__(self, vision: Vision, on_customers: Callable[[list[Observation]], None] | None = None) -> None:
        self._vision = vision
        self._on_customers = on_customers
        self._is_listening = False
        self.pace = Pace()
        self.latest_observation: Observation | None = None
        self.latest_preview: Preview | None = None

    @property
    def is_listening(self) -> bool:
        """Whether service mode is open. Setting False forgets the latest frame."""
        return self._is_listening

    @is_listening.setter
    def is_listening(self, is_listening: bool) -> None:
        self._is_listening = is_listening
        if not is_listening:
            self._forget()

    @property
    def state(self) -> VisionState:
        """The state of the vision process."""
        return self._vision.state

    @property
    def fault(self) -> str | None:
        """What is wrong with the camera or the vision process, or None."""
        return self._vision.fault

    @property
    def engine_fault(self) -> str | None:
        """Why the configured engine does not run, or None."""
        return self._vision.engine_fault

    @property
    def engine(self) -> EngineInfo | None:
        """The engine that runs the network, or None until it is known."""
        return getattr(self._vision, "engine", None)

    def set_mode(self, mode: VisionMode) -> None:
        """Set the vision mode. PRESENCE also forgets the latest frame."""
        if mode is VisionMode.PRESENCE:
            self._forget()
        self._vision.set_mode(mode)

    def poll(self) -> list[Observation]:
        """Return the observations since the last call, and keep the latest one while `is_listening`."""
        observations = self._vision.poll()
        if self._on_customers and not self._is_listening:
            self._on_customers(observations)
        for observation in observations:
            self.pace.add(observation)
        if self.state is not VisionState.RUNNING:
            self.pace.clear()
            self._forget()
        elif self._is_listening and observations:
            self.latest_observation = observations[-1]
        return observations

    def preview(self) -> Preview | None:
        """Return the newest preview if there is a new one, and keep a copy while `is_listening`."""
        preview = self._vision.preview()
        if self._is_listening and preview is not None:
            self.latest_preview = preview.copy_if_intact() or self.latest_preview
        return preview

    def _forget(self) -> None:
        self.latest_observation = self.latest_preview = None
