"""Connects vision with the sale: sets the vision mode, runs age checks and reports that a customer has left."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from kiosk.config import AgeCheckConfig
from kiosk.estimate import Observation
from kiosk.ui.shop.presence import Presence, VacancyTimer
from kiosk.vending.age_check import MIN_FACE_WIDTH, AgeCheck, Outcome, Reason
from kiosk.vending.sale.snapshot import Snapshot
from kiosk.vending.sale.state import BEFORE_DISPENSING, Phase
from kiosk.vending.shop import Shop
from kiosk.vision.process.messages import Vision, VisionMode, VisionState

log = logging.getLogger(__name__)

NO_PICTURE_TIMEOUT = 3.0
"""Seconds without a camera after which an age check ends and asks for an ID."""
LIVE_PICTURE_PHASES = frozenset(
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
"""The live picture is shown in these phases. In others, the PIN pad or the receipt needs the room."""
PRESENCE_PHASES = BEFORE_DISPENSING - {Phase.PAYING, Phase.ASK_ID}
"""A customer whose face disappears is asked for in these phases. While paying or showing an ID, people look away."""
NO_CAMERA_STATES = (VisionState.NO_CAMERA, VisionState.FAILED, VisionState.ENDED)
"""No picture is expected soon in these states. A restarting process delivers one within seconds."""
VISIT_END_PHASES = (Phase.ATTRACT, Phase.OUT_OF_ORDER)
"""A visit can end in these phases."""


def shows_customer(snapshot: Snapshot) -> bool:
    """Return whether the live picture is shown and faces are estimated: the customer agreed and the phase shows it."""
    return bool(snapshot.camera) and snapshot.phase in LIVE_PICTURE_PHASES


def _pays_for_restricted_product(snapshot: Snapshot) -> bool:
    """Return whether a customer pays whose age the camera may have accepted. The sale must know when they leave."""
    chosen = snapshot.chosen
    return bool(snapshot.camera) and snapshot.phase is Phase.PAYING and chosen is not None and chosen.minimum_age > 0


def _needs_presence(snapshot: Snapshot) -> bool:
    """Return whether the window asks the customer, before the sale is cleared, if they are still there."""
    return bool(snapshot.camera) and snapshot.phase in PRESENCE_PHASES


class AgeCheckRunner:
    """Runs the age check of the current sale: one check per sale, dropped when the sale leaves the phase.

    `min_face_width` is in pixels. The legal age comes from the product.
    """

    def __init__(self, config: AgeCheckConfig, min_face_width: int = MIN_FACE_WIDTH) -> None:
        self._config = config
        self._min_face_width = min_face_width
        self._sale: str | None = None
        self._is_reported = False
        self._no_picture_since: float | None = None
        self.check: AgeCheck | None = None

    def follow(self, snapshot: Snapshot, now: float) -> None:
        """Start a check when the sale enters the age check, and drop it when the sale leaves. `now` in seconds."""
        needs_check = snapshot.phase is Phase.AGE_CHECK and snapshot.sale is not None and snapshot.chosen is not None
        if not needs_check:
            self._sale = self.check = None
        elif self._sale != snapshot.sale:
            assert snapshot.chosen is not None
            self._sale, self._is_reported, self._no_picture_since = snapshot.sale, False, None
            self.check = AgeCheck.begin(
                self._config, now, legal_age=snapshot.chosen.minimum_age, min_face_width=self._min_face_width
            )

    def observe(
        self, observations: Iterable[Observation], now: float, *, has_no_camera: bool = False
    ) -> tuple[str, bool] | None:
        """Add observations to the check and return (sale, passed) once, as soon as the result is known; else None.

        The check fails after `NO_PICTURE_TIMEOUT` seconds with `has_no_camera`. `now` is in seconds.
        """
        if self.check is None or self._sale is None or self._is_reported:
            return None
        for observation in observations:
            self.check = self.check.observe(observation, now)
        self.check = self.check.tick(now)
        if not has_no_camera:
            self._no_picture_since = None
        elif self._no_picture_since is None:
            self._no_picture_since = now
        if self.check.outcome is not None:
            self._is_reported = True
            log.info("age check of sale %s: %s", self._sale, self.check.explanation)
            return self._sale, self.check.outcome is Outcome.PASSED
        if self._no_picture_since is not None and now - self._no_picture_since >= NO_PICTURE_TIMEOUT:
            self._is_reported = True
            log.info("age check of sale %s: ask for ID: %s", self._sale, Reason.NO_PICTURE.value)
            return self._sale, False
        return None


class VisionBridge:
    """Tells vision what it may do in each phase, and tells the sale what the camera saw.

    `gone_after` is in seconds, as `presence.GONE_AFTER`; `min_face_width` is in pixels.
    """

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
        self._runner = AgeCheckRunner(age_check, min_face_width)
        self._presence = Presence(gone_after)
        self._vacancy = VacancyTimer()
        self._mode: VisionMode | None = None

    @property
    def check(self) -> AgeCheck | None:
        """The age check that is running, or None."""
        return self._runner.check

    def update_mode(self, snapshot: Snapshot) -> None:
        """Set the vision mode that the phase allows. Service mode sets its own; this mode is sent again after it."""
        if snapshot.phase is Phase.SERVICE:
            self._mode = None
            return
        mode = VisionMode.PRESENCE
        if shows_customer(snapshot):
            mode = VisionMode.AGE_CHECK if snapshot.phase is Phase.AGE_CHECK else VisionMode.ESTIMATE
        if mode is not self._mode:
            self._mode = mode
            self._vision.set_mode(mode)

    def process(self, observations: Sequence[Observation], snapshot: Snapshot, now: float) -> None:
        """Tell the sale the age check's result, that the customer left, and that a visit is over. `now` in seconds."""
        self._runner.follow(snapshot, now)
        result = self._runner.observe(observations, now, has_no_camera=self._vision.state in NO_CAMERA_STATES)
        if result is not None:
            self._shop.report_age_check(*result)
        if self._vision.state is not VisionState.RUNNING:
            self._presence.forget()
        elif any(observation.faces for observation in observations):
            self._presence.record_face(now)
        if not _needs_presence(snapshot) and not _pays_for_restricted_product(snapshot):
            self._presence.record_touch(now)
        elif self._presence.seconds_left(now) == 0:
            self._shop.report_customer_left()
            self._presence.record_touch(now)  # report once: the sale applies its own timeouts from here
        self._detect_end_of_visit(observations, snapshot, now)

    def record_touch(self, now: float) -> None:
        """Note that somebody touched the screen at `now`, in seconds."""
        self._presence.record_touch(now)
        self._vacancy.reset()

    def forget(self) -> None:
        """Forget the customer, who has left."""
        self._presence.forget()
        self._vacancy.reset()

    def seconds_left(self, snapshot: Snapshot, now: float) -> float | None:
        """Return the seconds until the customer counts as gone, or None while the question is not asked."""
        return self._presence.seconds_left(now) if _needs_presence(snapshot) else None

    def _detect_end_of_visit(self, observations: Sequence[Observation], snapshot: Snapshot, now: float) -> None:
        """End the visit once nobody has been in front for a while. Who cancels and stays is the same visitor."""
        is_empty = observations and not any(observation.faces for observation in observations)
        if snapshot.phase not in VISIT_END_PHASES or self._vision.state is not VisionState.RUNNING:
            self._vacancy.reset()
        elif is_empty and self._vacancy.add_empty_frame(now):
            self._shop.report_visit_end()
        elif observations and not is_empty:
            self._vacancy.reset()
