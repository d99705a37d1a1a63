"""Whether somebody may buy without showing an ID, from what was observed of late: `passed` or `ask_for_id`.

It never guesses. It passes only if one face alone, the same one throughout, has been in front for
long enough in good pictures, is likely enough to be at least as old as the challenge age, and was
shown to be a living face. Whatever else happens, or fails to happen in time, is `ask_for_id`, which
says nothing about anybody: the machine could not see enough to decide.

A check is a frozen value folded over observations: `begin`, then `observe` for each observation and
`tick` now and then, until `outcome` is there. To cancel, to choose another product or to walk away
is to drop the value; the next check begins with nothing.

Two clocks are told apart. How long a face was seen is measured by the observations' own times. How
long is waited is measured by `now`, any monotonic clock of the caller's, because a camera that has
died sends no time.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field, replace

from kiosk.config import AgeCheckConfig
from kiosk.estimate import FaceObservation, Observation


class Outcome(enum.Enum):
    """How a check ended."""

    PASSED = "passed"
    ASK_FOR_ID = "ask_for_id"


class Reason(enum.Enum):
    """What a check waits for or ended by: its line in the service log, with no figure about a person."""

    SURE = "one face, looked at for long enough, clearly over the challenge age"
    OFF = "the automatic pass is off"
    NOTHING_YET = "nothing seen yet"
    NO_PICTURE = "no picture from the camera"
    NOBODY = "nobody in front"
    TWO_FACES = "more than one face"
    TOO_FAR = "the face is too far away"
    UNKNOWN = "no estimate from what the camera sees"
    BAD_PICTURE = "too few good pictures"
    TOO_SHORT = "not looked at for long enough"
    NOT_SURE = "not clearly over the challenge age"
    NOT_LIVE = "not shown to be a living face"


class Prompt(enum.Enum):
    """What the screen asks for: keys of messages, which it translates."""

    LOOK_AT_THE_SCREEN = "look_at_the_screen"
    ONE_PERSON_PLEASE = "one_person_please"
    A_LITTLE_CLOSER = "a_little_closer"
    HOLD_STILL = "hold_still"
    TURN_YOUR_HEAD = "turn_your_head"
    ID_PLEASE = "id_please"
    THANK_YOU = "thank_you"


_PROMPTS = {
    Reason.TWO_FACES: Prompt.ONE_PERSON_PLEASE,
    Reason.TOO_FAR: Prompt.A_LITTLE_CLOSER,
    Reason.TOO_SHORT: Prompt.HOLD_STILL,
    Reason.NOT_LIVE: Prompt.TURN_YOUR_HEAD,
}


MIN_QUALITY = 0.35
"""Quality from which a frame counts, over 0 to 1: the one from which vision uses a face."""

MIN_FACE_WIDTH = 80
"""Least width in pixels of the face's box, in a frame `FRAME_WIDTH` wide: at 60 degrees, about a metre away."""
FRAME_WIDTH = 640

MAX_GAP_S = 0.5
"""After so many seconds between two good frames the evidence starts again."""

MAX_SILENCE_S = 2.5
"""After so many seconds without an observation the camera is given up; more than `MAX_GAP_S`."""


@dataclass(frozen=True)
class Evidence:
    """Good pictures of one face, without a long gap between them."""

    track: int
    first: float
    """Time of the first one, of the last one, in the observations' seconds."""
    last: float
    pictures: int = 1


@dataclass(frozen=True)
class AgeCheck:
    """A check under way or ended. Made by `begin`; every method gives a new value."""

    config: AgeCheckConfig
    began: float
    """By the caller's clock."""
    legal_age: int = 18
    """Years that the buyer of the product must have, 1 to 99."""
    min_face_width: int = MIN_FACE_WIDTH
    """Pixels of the face's box from which the face is near enough."""
    outcome: Outcome | None = None
    """None while it is under way."""
    reason: Reason = Reason.NOTHING_YET
    evidence: Evidence | None = None
    _heard: float = field(default=0.0, repr=False)  # by the caller's clock, when the last observation came
    _seen: float = field(default=-math.inf, repr=False)  # by the observations' clock, the last one's time

    @classmethod
    def begin(
        cls, config: AgeCheckConfig, now: float, *, legal_age: int = 18, min_face_width: int = MIN_FACE_WIDTH
    ) -> AgeCheck:
        """Starts a check at `now`; where the automatic pass is off, it has ended already.

        `legal_age` is in years, 1 to 99. `min_face_width` is in pixels, at least 1. Raises `ValueError`.
        """
        if not 1 <= legal_age <= 99:
            raise ValueError(f"legal_age is {legal_age}: it must be 1 to 99")
        if min_face_width < 1:
            raise ValueError(f"min_face_width is {min_face_width}: it must be at least 1")
        check = cls(config, began=now, legal_age=legal_age, min_face_width=min_face_width, _heard=now)
        return check if config.automatic_pass else check._ended(Outcome.ASK_FOR_ID, Reason.OFF)

    @property
    def challenge_age(self) -> int:
        """The age in years that the estimate has to show: the legal age plus the margin."""
        return self.legal_age + self.config.margin

    @property
    def explanation(self) -> str:
        """One line for the service log."""
        if self.outcome is Outcome.PASSED:
            return f"passed: {self.reason.value}"
        return f"{'ask for ID' if self.outcome else 'under way'}: {self.reason.value}"

    @property
    def prompt(self) -> Prompt:
        """What to ask of whoever stands in front."""
        if self.outcome:
            return Prompt.THANK_YOU if self.outcome is Outcome.PASSED else Prompt.ID_PLEASE
        return _PROMPTS.get(self.reason, Prompt.LOOK_AT_THE_SCREEN)

    @property
    def progress(self) -> float:
        """0 to 1: how much of the time and the pictures that it takes there is."""
        if self.evidence is None:
            return 0.0
        time = (self.evidence.last - self.evidence.first) / self.config.seconds
        return min(time, self.evidence.pictures / self.config.min_good_frames, 1.0)

    def tick(self, now: float) -> AgeCheck:
        """Lets time pass: ends a check whose camera is silent or whose time is up."""
        if self.outcome:
            return self
        # The reason of the last observation says what was missing when the time ran out.
        if now - self._heard > MAX_SILENCE_S:
            return self._ended(Outcome.ASK_FOR_ID, Reason.NO_PICTURE)
        if now - self.began >= self.config.time_out:
            return self._ended(Outcome.ASK_FOR_ID, self.reason)
        return self

    def observe(self, observation: Observation, now: float) -> AgeCheck:
        """Takes in one observation that came at `now`. One that is late, or came before, changes nothing."""
        check = self.tick(now)
        if check.outcome or not math.isfinite(observation.time):
            return check
        if observation.time <= check._seen:
            if now - check._heard <= MAX_GAP_S:
                return check
            check = replace(check, evidence=None)  # a new vision process, whose clock began anew
        check = replace(check, _heard=now, _seen=observation.time)
        obstacle = _obstacle(observation, check.min_face_width)
        if obstacle is Reason.BAD_PICTURE:
            # The quality dips for a frame at a blink or a turn: only the gap between good pictures counts.
            return replace(check._without_stale(observation), reason=obstacle)
        if obstacle:
            return replace(check, evidence=None, reason=obstacle)
        return check._with(observation.faces[0], observation.time)._decided(observation.faces[0])

    def _without_stale(self, observation: Observation) -> AgeCheck:
        """Without evidence that ended too long ago, or was of somebody else."""
        evidence = self.evidence
        if evidence is None or observation.faces[0].track != evidence.track:
            return replace(self, evidence=None)
        return replace(self, evidence=None) if observation.time - evidence.last > MAX_GAP_S else self

    def _with(self, face: FaceObservation, time: float) -> AgeCheck:
        """With one more good picture, or the first of a new row."""
        before = self.evidence
        if before is None or before.track != face.track or time - before.last > MAX_GAP_S:
            return replace(self, evidence=Evidence(face.track, time, time))
        return replace(self, evidence=replace(before, last=time, pictures=before.pictures + 1))

    def _decided(self, face: FaceObservation) -> AgeCheck:
        """Ended, if there is enough evidence. It decides once: nobody gets looks until a lucky one."""
        if self.progress < 1:
            return replace(self, reason=Reason.TOO_SHORT)
        sure = face.estimate is not None and (
            face.estimate.probability_at_least(self.challenge_age) >= self.config.threshold
        )
        if not sure:
            return self._ended(Outcome.ASK_FOR_ID, Reason.NOT_SURE)
        if face.live is True or (face.live is None and not self.config.liveness):
            return self._ended(Outcome.PASSED, Reason.SURE)
        return replace(self, reason=Reason.NOT_LIVE)

    def _ended(self, outcome: Outcome, reason: Reason) -> AgeCheck:
        return replace(self, outcome=outcome, reason=reason, evidence=None)


def _obstacle(observation: Observation, min_face_width: int) -> Reason | None:
    """What keeps an observation from being a good picture of one face, or None."""
    if not observation.faces:
        return Reason.NOBODY
    if len(observation.faces) > 1:
        return Reason.TWO_FACES
    (face,) = observation.faces
    if face.box[2] < min_face_width:
        return Reason.TOO_FAR
    if face.status == "unknown":
        return Reason.UNKNOWN
    if not face.quality >= MIN_QUALITY or face.status != "known" or face.estimate is None:
        return Reason.BAD_PICTURE
    return None
