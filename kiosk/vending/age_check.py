"""The age check: decides from the camera's observations whether a customer may buy without showing an ID.

The outcome is `passed` or `ask_for_id`. A check passes only if all of this holds: one face alone, the same one all the
time, has been in front for long enough in good frames; it is likely enough to be at least as old as the challenge age;
and it was shown to be a living face. In every other case, and if time runs out, the outcome is `ask_for_id`. That says
nothing about the person: the machine could not see enough to decide.

A check is an immutable value. Start with `begin`, then call `observe` for each observation and `tick` now and then,
until `outcome` is set; each call returns a new value. To cancel a check, drop the value. The next check starts empty.

There are two clocks. The observations' own times measure how long a face was seen. `now`, any monotonic clock of the
caller, measures how long the check has waited, because a camera that has failed sends no times.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field, replace

from kiosk.config import AgeCheckConfig
from kiosk.estimate import FaceObservation, Observation


class Outcome(enum.Enum):
    """The outcome of a check."""

    PASSED = "passed"
    ASK_FOR_ID = "ask_for_id"


class Reason(enum.Enum):
    """What a check waits for, or why it ended. Its value is the text in the service log; it has no personal figures."""

    SURE = "one face, seen for long enough, clearly over the challenge age"
    OFF = "the automatic pass is off"
    NOTHING_YET = "no observation yet"
    NO_PICTURE = "no picture from the camera"
    NOBODY = "no face in front of the camera"
    TWO_FACES = "more than one face"
    TOO_FAR = "the face is too far away"
    UNKNOWN = "no estimate from what the camera sees"
    BAD_PICTURE = "too few good frames"
    TOO_SHORT = "not seen for long enough"
    NOT_SURE = "not clearly over the challenge age"
    NOT_LIVE = "not shown to be a living face"


class Prompt(enum.Enum):
    """What the screen should ask the customer to do. It translates these keys."""

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
"""Seconds between two good frames after which the good_frames starts again."""

MAX_SILENCE_S = 2.5
"""Seconds without an observation after which the check ends; more than `MAX_GAP_S`."""


@dataclass(frozen=True)
class GoodFrames:
    """Good frames of one face, without a long gap between them. Times are in seconds of the observations' clock."""

    track: int
    first: float
    last: float
    frames: int = 1


@dataclass(frozen=True)
class AgeCheck:
    """A check that is running or has ended. `begin` starts one; every method returns a new value."""

    config: AgeCheckConfig
    began: float
    """When it began, in seconds of the caller's clock."""
    legal_age: int = 18
    """Years that the buyer of the product must have, 1 to 99."""
    min_face_width: int = MIN_FACE_WIDTH
    """Least width in pixels of the box of a face that is near enough."""
    outcome: Outcome | None = None
    """None while the check is running."""
    reason: Reason = Reason.NOTHING_YET
    good_frames: GoodFrames | None = None
    _last_arrival: float = field(default=0.0, repr=False)  # of the last observation, on the caller's clock
    _last_time: float = field(default=-math.inf, repr=False)  # of the last observation, on its own clock

    @classmethod
    def begin(
        cls, config: AgeCheckConfig, now: float, *, legal_age: int = 18, min_face_width: int = MIN_FACE_WIDTH
    ) -> AgeCheck:
        """Starts a check at `now`. If the automatic pass is off, it ends at once.

        `legal_age` is in years, 1 to 99. `min_face_width` is in pixels, at least 1. Raises `ValueError`.
        """
        if not 1 <= legal_age <= 99:
            raise ValueError(f"legal_age is {legal_age}: it must be 1 to 99")
        if min_face_width < 1:
            raise ValueError(f"min_face_width is {min_face_width}: it must be at least 1")
        check = cls(config, began=now, legal_age=legal_age, min_face_width=min_face_width, _last_arrival=now)
        return check if config.automatic_pass else check._end(Outcome.ASK_FOR_ID, Reason.OFF)

    @property
    def challenge_age(self) -> int:
        """The age in years that the estimate has to show: the legal age plus the margin."""
        return self.legal_age + self.config.margin

    @property
    def explanation(self) -> str:
        """One line about the check for the service log."""
        if self.outcome is Outcome.PASSED:
            return f"passed: {self.reason.value}"
        return f"{'ask for ID' if self.outcome else 'running'}: {self.reason.value}"

    @property
    def prompt(self) -> Prompt:
        """What to ask the customer to do."""
        if self.outcome:
            return Prompt.THANK_YOU if self.outcome is Outcome.PASSED else Prompt.ID_PLEASE
        return _PROMPTS.get(self.reason, Prompt.LOOK_AT_THE_SCREEN)

    @property
    def progress(self) -> float:
        """How much of the needed time and frames there is, from 0 to 1."""
        if self.good_frames is None:
            return 0.0
        time = (self.good_frames.last - self.good_frames.first) / self.config.seconds
        return min(time, self.good_frames.frames / self.config.min_good_frames, 1.0)

    def tick(self, now: float) -> AgeCheck:
        """Returns the check at `now`: ended, if the camera sends nothing or the time is over."""
        if self.outcome:
            return self
        # The last observation's reason says what was missing when time ran out.
        if now - self._last_arrival > MAX_SILENCE_S:
            return self._end(Outcome.ASK_FOR_ID, Reason.NO_PICTURE)
        if now - self.began >= self.config.time_out:
            return self._end(Outcome.ASK_FOR_ID, self.reason)
        return self

    def observe(self, observation: Observation, now: float) -> AgeCheck:
        """Returns the check with one more observation, which came at `now`. An old or repeated one changes nothing."""
        check = self.tick(now)
        if check.outcome or not math.isfinite(observation.time):
            return check
        if observation.time <= check._last_time:
            if now - check._last_arrival <= MAX_GAP_S:
                return check
            check = replace(check, good_frames=None)  # a new vision process, whose clock started again
        check = replace(check, _last_arrival=now, _last_time=observation.time)
        obstacle = _find_obstacle(observation, check.min_face_width)
        if obstacle is Reason.BAD_PICTURE:
            # Quality drops for a frame at a blink or a turn, so only the gap between good frames counts.
            return replace(check._drop_stale_evidence(observation), reason=obstacle)
        if obstacle:
            return replace(check, good_frames=None, reason=obstacle)
        return check._add_frame(observation.faces[0], observation.time)._decide(observation.faces[0])

    def _drop_stale_evidence(self, observation: Observation) -> AgeCheck:
        """Returns the check without good_frames that is too old or of another face."""
        good_frames = self.good_frames
        if good_frames is None or observation.faces[0].track != good_frames.track:
            return replace(self, good_frames=None)
        return replace(self, good_frames=None) if observation.time - good_frames.last > MAX_GAP_S else self

    def _add_frame(self, face: FaceObservation, time: float) -> AgeCheck:
        """Returns the check with one more good frame, or with the first of new good_frames."""
        before = self.good_frames
        if before is None or before.track != face.track or time - before.last > MAX_GAP_S:
            return replace(self, good_frames=GoodFrames(face.track, time, time))
        return replace(self, good_frames=replace(before, last=time, frames=before.frames + 1))

    def _decide(self, face: FaceObservation) -> AgeCheck:
        """Ends the check if there is enough good_frames. It decides once, so that no one can wait for a lucky frame."""
        if self.progress < 1:
            return replace(self, reason=Reason.TOO_SHORT)
        sure = face.estimate is not None and (
            face.estimate.probability_at_least(self.challenge_age) >= self.config.threshold
        )
        if not sure:
            return self._end(Outcome.ASK_FOR_ID, Reason.NOT_SURE)
        if face.live is True or (face.live is None and not self.config.liveness):
            return self._end(Outcome.PASSED, Reason.SURE)
        return replace(self, reason=Reason.NOT_LIVE)

    def _end(self, outcome: Outcome, reason: Reason) -> AgeCheck:
        return replace(self, outcome=outcome, reason=reason, good_frames=None)


def _find_obstacle(observation: Observation, min_face_width: int) -> Reason | None:
    """Returns why an observation is not a good frame of one face, or None if it is one."""
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
