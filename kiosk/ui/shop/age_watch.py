"""Runs the age check of the sale in front, and none else: one check a sale, forgotten when the phase is left."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from kiosk.config import AgeCheckConfig
from kiosk.estimate import Observation
from kiosk.vending.age_check import MIN_FACE_WIDTH, AgeCheck, Outcome, Reason
from kiosk.vending.sale.snapshot import Snapshot
from kiosk.vending.sale.state import Phase

log = logging.getLogger(__name__)

BLIND_FOR = 3.0
"""Seconds without a camera, after which nobody is kept waiting for it."""


class AgeCheckRunner:
    """`min_face_width` is in pixels; the legal age is each product's."""

    def __init__(self, config: AgeCheckConfig, min_face_width: int = MIN_FACE_WIDTH) -> None:
        self._config = config
        self._min_face_width = min_face_width
        self._sale: str | None = None
        self._told = False
        self._blind_since: float | None = None
        self.check: AgeCheck | None = None

    def follow(self, snapshot: Snapshot, now: float) -> None:
        """Begin a check where one is wanted, drop one that is not wanted any more."""
        wanted = snapshot.phase is Phase.AGE_CHECK and snapshot.sale is not None and snapshot.chosen is not None
        if not wanted:
            self._sale = self.check = None
        elif self._sale != snapshot.sale:
            assert snapshot.chosen is not None
            self._sale, self._told, self._blind_since = snapshot.sale, False, None
            self.check = AgeCheck.begin(
                self._config, now, legal_age=snapshot.chosen.minimum_age, min_face_width=self._min_face_width
            )

    def observe(
        self, observations: Iterable[Observation], now: float, *, blind: bool = False
    ) -> tuple[str, bool] | None:
        """Take in what was seen. The sale and whether it passed, once that is clear; told once.

        Of a check that may not pass at all it is clear at once, of one whose camera is away (`blind`) soon.
        """
        if self.check is None or self._sale is None or self._told:
            return None
        for observation in observations:
            self.check = self.check.observe(observation, now)
        self.check = self.check.tick(now)
        self._blind_since = (now if self._blind_since is None else self._blind_since) if blind else None
        if self.check.outcome is None and self._blind_since is not None and now - self._blind_since >= BLIND_FOR:
            self._told = True
            log.info("age check of sale %s: ask for ID: %s", self._sale, Reason.NO_PICTURE.value)
            return self._sale, False
        if self.check.outcome is None:
            return None
        self._told = True
        log.info("age check of sale %s: %s", self._sale, self.check.explanation)
        return self._sale, self.check.outcome is Outcome.PASSED
