"""Vision as the window has it, listened in on: what service mode shows, the window has asked for already."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.estimate import Observation
from kiosk.ui.widgets.animation import Pace
from kiosk.vision.process.messages import EngineInfo, Preview, Vision, VisionMode, VisionState


class VisionFeed:
    """Passes everything on, and remembers the newest while `listening`. Otherwise nobody's face stays here.

    `also` is told every observation of customers: who services the machine is none.
    """

    def __init__(self, vision: Vision, also: Callable[[list[Observation]], None] | None = None) -> None:
        self._vision = vision
        self._also = also
        self._listening = False
        self.pace = Pace()
        self.newest: Observation | None = None
        self.picture: Preview | None = None

    @property
    def listening(self) -> bool:
        """Whether service mode looks on."""
        return self._listening

    @listening.setter
    def listening(self, listening: bool) -> None:
        self._listening = listening
        if not listening:
            self.newest = self.picture = None

    @property
    def state(self) -> VisionState:
        return self._vision.state

    @property
    def fault(self) -> str | None:
        return self._vision.fault

    @property
    def engine_fault(self) -> str | None:
        return self._vision.engine_fault

    @property
    def engine(self) -> EngineInfo | None:
        """What runs the network, once it is known."""
        return getattr(self._vision, "engine", None)

    def set_mode(self, mode: VisionMode) -> None:
        if mode is VisionMode.PRESENCE:
            self.newest = self.picture = None
        self._vision.set_mode(mode)

    def poll(self) -> list[Observation]:
        observations = self._vision.poll()
        if self._also and not self._listening:
            self._also(observations)
        for observation in observations:
            self.pace.add(observation)
        if self.state is not VisionState.RUNNING:
            self.pace.clear()
            self.newest = self.picture = None
        elif self._listening and observations:
            self.newest = observations[-1]
        return observations

    def preview(self) -> Preview | None:
        preview = self._vision.preview()
        if self._listening and preview is not None:
            self.picture = preview.kept() or self.picture
        return preview
