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


@dataclass(frozen=True)
class AgePolicy:
    """When a check passes. Raises `ValueError` for values that make no sense."""

    legal_age: int = 18
    """Years that the product's buyer must have, 1 to 99."""

    margin: int = 7
    """Years that the estimate asks for beyond the legal age, 0 to 50."""

    threshold: float = 0.95
    """Least probability of an age of at least the challenge age, over 0.5 to 1."""

    seconds: float = 1.5
    """For how long the face must have been seen well, over 0."""

    good_pictures: int = 12
    """How many good pictures that takes, at least 1."""

    least_quality: float = 0.35
    """From which quality a picture is good, over 0 to 1: by default the one from which vision counts it."""

    smallest_face: int = 80
    """Least width in pixels of the face's box: with 640 pixels across 60 degrees, about a metre away. It grows with
    the frame's width."""

    longest_gap: float = 0.5
    """Seconds between two good pictures after which the evidence begins anew, over 0."""

    silence: float = 2.5
    """Seconds without any observation after which the camera is given up, over `longest_gap`."""

    time_out: float = 12.0
    """Seconds after which it is `ask_for_id` whatever is still missing, over `seconds`."""

    automatic_pass: bool = False
    """Whether a check may pass at all. A photograph held up is an attack to be expected: the operator turns this on."""

    live_needed: bool = True
    """Whether a face that nobody judged is refused. One judged and not shown to be alive always is."""

    def __post_init__(self) -> None:
        _within("legal_age", self.legal_age, 1 <= self.legal_age <= 99, "1 to 99")
        _within("margin", self.margin, 0 <= self.margin <= 50, "0 to 50")
        _within("threshold", self.threshold, 0.5 < self.threshold <= 1, "over 0.5, at most 1")
        _within("seconds", self.seconds, 0 < self.seconds < math.inf, "over 0")
        _within("good_pictures", self.good_pictures, self.good_pictures >= 1, "at least 1")
        _within("least_quality", self.least_quality, 0 < self.least_quality <= 1, "over 0, at most 1")
        _within("smallest_face", self.smallest_face, self.smallest_face >= 1, "at least 1")
        _within("longest_gap", self.longest_gap, 0 < self.longest_gap < math.inf, "over 0")
        _within("silence", self.silence, self.longest_gap < self.silence < math.inf, "over longest_gap")
        _within("time_out", self.time_out, self.seconds < self.time_out < math.inf, "over seconds")

    @property
    def challenge_age(self) -> int:
        """The age that the estimate must show: the legal age and the margin."""
        return self.legal_age + self.margin


def _within(name: str, value: float, holds: bool, allowed: str) -> None:
    if not holds:
        raise ValueError(f"{name} = {value}: it must be {allowed}")


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

    policy: AgePolicy
    began: float
    """By the caller's clock."""
    outcome: Outcome | None = None
    """None while it is under way."""
    reason: Reason = Reason.NOTHING_YET
    evidence: Evidence | None = None
    _heard: float = field(default=0.0, repr=False)  # by the caller's clock, when the last observation came
    _seen: float = field(default=-math.inf, repr=False)  # by the observations' clock, the last one's time

    @classmethod
    def begin(cls, policy: AgePolicy, now: float) -> AgeCheck:
        """A check that has seen nothing; one that may not pass at all has ended already."""
        check = cls(policy, began=now, _heard=now)
        return check if policy.automatic_pass else check._ended(Outcome.ASK_FOR_ID, Reason.OFF)

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
        time = (self.evidence.last - self.evidence.first) / self.policy.seconds
        return min(time, self.evidence.pictures / self.policy.good_pictures, 1.0)

    def tick(self, now: float) -> AgeCheck:
        """Lets time pass: ends a check whose camera is silent or whose time is up."""
        if self.outcome:
            return self
        # The reason of the last observation says what was missing when the time ran out.
        if now - self._heard > self.policy.silence:
            return self._ended(Outcome.ASK_FOR_ID, Reason.NO_PICTURE)
        if now - self.began >= self.policy.time_out:
            return self._ended(Outcome.ASK_FOR_ID, self.reason)
        return self

    def observe(self, observation: Observation, now: float) -> AgeCheck:
        """Takes in one observation that came at `now`. One that is late, or came before, changes nothing."""
        check = self.tick(now)
        if check.outcome or not math.isfinite(observation.time):
            return check
        if observation.time <= check._seen:
            if now - check._heard <= check.policy.longest_gap:
                return check
            check = replace(check, evidence=None)  # a new vision process, whose clock began anew
        check = replace(check, _heard=now, _seen=observation.time)
        obstacle = _obstacle(observation, check.policy)
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
        return replace(self, evidence=None) if observation.time - evidence.last > self.policy.longest_gap else self

    def _with(self, face: FaceObservation, time: float) -> AgeCheck:
        """With one more good picture, or the first of a new row."""
        before = self.evidence
        if before is None or before.track != face.track or time - before.last > self.policy.longest_gap:
            return replace(self, evidence=Evidence(face.track, time, time))
        return replace(self, evidence=replace(before, last=time, pictures=before.pictures + 1))

    def _decided(self, face: FaceObservation) -> AgeCheck:
        """Ended, if there is enough evidence. It decides once: nobody gets looks until a lucky one."""
        if self.progress < 1:
            return replace(self, reason=Reason.TOO_SHORT)
        sure = face.estimate is not None and (
            face.estimate.probability_at_least(self.policy.challenge_age) >= self.policy.threshold
        )
        if not sure:
            return self._ended(Outcome.ASK_FOR_ID, Reason.NOT_SURE)
        if face.live is True or (face.live is None and not self.policy.live_needed):
            return self._ended(Outcome.PASSED, Reason.SURE)
        return replace(self, reason=Reason.NOT_LIVE)

    def _ended(self, outcome: Outcome, reason: Reason) -> AgeCheck:
        return replace(self, outcome=outcome, reason=reason, evidence=None)


def _obstacle(observation: Observation, policy: AgePolicy) -> Reason | None:
    """What keeps an observation from being a good picture of one face, or None."""
    if not observation.faces:
        return Reason.NOBODY
    if len(observation.faces) > 1:
        return Reason.TWO_FACES
    (face,) = observation.faces
    if face.box[2] < policy.smallest_face:
        return Reason.TOO_FAR
    if face.status == "unknown":
        return Reason.UNKNOWN
    if not face.quality >= policy.least_quality or face.status != "known" or face.estimate is None:
        return Reason.BAD_PICTURE
    return None
