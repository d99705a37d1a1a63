"""What the window makes of vision: what it may do, the age check, and whether the customer is still there."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.config import AgeCheckConfig
from kiosk.estimate import Observation
from kiosk.ui.shop.age_watch import AgeCheckRunner
from kiosk.ui.shop.presence import Emptiness, Presence
from kiosk.vending.age_check import MIN_FACE_WIDTH, AgeCheck
from kiosk.vending.sale.snapshot import Snapshot
from kiosk.vending.sale.state import BEFORE_DISPENSING, Phase
from kiosk.vending.shop import Shop
from kiosk.vision.process.messages import Vision, VisionMode, VisionState

WITH_PICTURE = frozenset(
    {
        Phase.BROWSING,
        Phase.SELECTED,
        Phase.AGE_CHECK,
        Phase.PAYING,
        Phase.DECLINED,
        Phase.DISPENSING,
        Phase.REFUNDING,
    }
)
"""Where the live picture stands beside the screen. The pad for staff and the receipt need the room."""
MISSED = BEFORE_DISPENSING - {Phase.PAYING, Phase.ASK_ID}
"""Where the camera is asked if somebody is still there: not while all eyes are on the reader or on an ID."""

BLIND = (VisionState.NO_CAMERA, VisionState.FAILED, VisionState.ENDED)
"""Where no picture comes soon: a process that is started anew has one within seconds."""
BETWEEN = (Phase.ATTRACT, Phase.OUT_OF_ORDER)
"""Where a visit can end."""


def is_pictured(snapshot: Snapshot) -> bool:
    """Whether anybody is shown and estimated: only who chose it, and only where it is seen."""
    return bool(snapshot.camera) and snapshot.phase in WITH_PICTURE


def _is_passed(snapshot: Snapshot) -> bool:
    """Whether somebody pays whose age the camera may have passed: the sale has to know when they go, unasked."""
    chosen = snapshot.chosen
    return bool(snapshot.camera) and snapshot.phase is Phase.PAYING and chosen is not None and chosen.minimum_age > 0


class VisionBridge:
    """Between vision and the sale."""

    def __init__(
        self,
        vision: Vision,
        shop: Shop,
        age_check: AgeCheckConfig,
        gone_after: float,
        min_face_width: int = MIN_FACE_WIDTH,
    ) -> None:
        self._vision = vision
        self._shop = shop
        self._watch = AgeCheckRunner(age_check, min_face_width)
        self._presence = Presence(gone_after)
        self._emptiness = Emptiness()
        self._mode: VisionMode | None = None

    @property
    def check(self) -> AgeCheck | None:
        """The one under way."""
        return self._watch.check

    def allow(self, snapshot: Snapshot) -> None:
        """Tell vision what it may do now. Service mode does as it likes; afterwards vision is told anew."""
        if snapshot.phase is Phase.SERVICE:
            self._mode = None
            return
        mode = VisionMode.PRESENCE
        if is_pictured(snapshot):
            mode = VisionMode.AGE_CHECK if snapshot.phase is Phase.AGE_CHECK else VisionMode.ESTIMATE
        if mode is not self._mode:
            self._mode = mode
            self._vision.set_mode(mode)

    def judge(self, observations: Sequence[Observation], snapshot: Snapshot, now: float) -> None:
        """Tell the sale what the age check says, that the customer has gone, and that the next is another."""
        self._watch.follow(snapshot, now)
        verdict = self._watch.observe(observations, now, blind=self._vision.state in BLIND)
        if verdict is not None:
            self._shop.age_checked(*verdict)
        if self._vision.state is not VisionState.RUNNING:
            self._presence.forget()
        elif any(observation.faces for observation in observations):
            self._presence.seen(now)
        if not self._misses(snapshot) and not _is_passed(snapshot):
            self._presence.touched(now)
        elif self._presence.seconds_left(now) == 0:
            self._shop.walked_away()
            self._presence.touched(now)  # told once: what the sale makes of it has its own time
        self._look_for_an_end(observations, snapshot, now)

    def touched(self, now: float) -> None:
        """Somebody is there."""
        self._presence.touched(now)
        self._emptiness.forget()

    def forget(self) -> None:
        """The customer is gone."""
        self._presence.forget()
        self._emptiness.forget()

    def seconds_left(self, snapshot: Snapshot, now: float) -> float | None:
        """Until the customer counts as gone, while that has to be asked."""
        return self._presence.seconds_left(now) if self._misses(snapshot) else None

    def _look_for_an_end(self, observations: Sequence[Observation], snapshot: Snapshot, now: float) -> None:
        """Between two customers: whoever cancels and stays there is the one who was there before."""
        empty = observations and not any(observation.faces for observation in observations)
        if snapshot.phase not in BETWEEN or self._vision.state is not VisionState.RUNNING:
            self._emptiness.forget()
        elif empty and self._emptiness.is_over(now):
            self._shop.visit_ended()
        elif observations and not empty:
            self._emptiness.forget()

    @staticmethod
    def _misses(snapshot: Snapshot) -> bool:
        return bool(snapshot.camera) and snapshot.phase in MISSED
