"""The texts of the live view, in one place for translators."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QObject

from kiosk.estimate import AgeGroup, FaceObservation
from kiosk.vision.process.messages import VisionState

LONGEST_FAULT = 160
"""Characters of a fault that a screen shows; the log has the rest."""


@dataclass(frozen=True)
class Message:
    """A headline and what to do about it."""

    title: str
    text: str


class Strings(QObject):
    """The kiosk's side of the conversation."""

    counts = False
    """Whether it is counted how many people of each age group come in an hour (`fleet.count_visitors`)."""

    # What is estimated

    def gender(self, label: str) -> str:
        known = {"female": self.tr("Female"), "male": self.tr("Male")}
        return known.get(label, label.capitalize())

    def gender_letter(self, label: str) -> str:
        known = {"female": self.tr("F"), "male": self.tr("M")}
        return known.get(label, label[:1].upper())

    def ages(self, group: AgeGroup) -> str:
        """`20-29` as a person writes it."""
        return group.label.replace("-", "–")

    def percent(self, probability: float) -> str:
        return self.tr("{percent}%").format(percent=round(probability * 100))

    def about(self) -> str:
        """Stands before the expected age."""
        return self.tr("about")

    def estimating(self) -> str:
        return self.tr("Estimating…")

    # On a face

    def tag(self, face: FaceObservation) -> str:
        """Label the face that the panel speaks of."""
        if face.status == "known" and face.estimate is not None:
            return f"{self.gender(face.estimate.gender)} · {self.ages(face.estimate.group)}"
        return self._without_estimate(face)

    def short_tag(self, face: FaceObservation) -> str:
        """Label any other face."""
        if face.status == "known" and face.estimate is not None:
            return f"{self.gender_letter(face.estimate.gender)} · {self.ages(face.estimate.group)}"
        return self._without_estimate(face)

    def _without_estimate(self, face: FaceObservation) -> str:
        return self.tr("Unknown") if face.status == "unknown" else self.estimating()

    # The panel

    def heading(self, faces: int) -> str:
        return self.tr("Nearest of {faces} people").format(faces=faces) if faces > 1 else self.tr("Live estimate")

    def invitation(self) -> Message:
        return Message(self.tr("Step closer"), self.tr("Look at the screen"))

    def first_look(self) -> Message:
        """The message while a face is in view but no good image of it has been taken yet."""
        return Message(self.estimating(), self.tr("Look at the screen"))

    def unknown(self) -> Message:
        return Message(self.tr("Unknown"), self.tr("The picture is not clear enough. Try facing the light."))

    def idle(self, state: VisionState) -> Message:
        """Say something on the panel while there is no picture to speak of."""
        if state in (VisionState.STARTING, VisionState.RESTARTING):
            return Message(self.tr("One moment"), self.tr("The estimate appears here"))
        return Message(self.tr("No estimate"), self.tr("There is no live picture"))

    def privacy(self) -> tuple[str, str]:
        """Two sentences, for one line or two."""
        kept = self.tr("Only hourly counts by age group are kept.") if self.counts else self.tr("Nothing is stored.")
        return self.tr("Estimated live on this machine."), kept

    # Over the picture

    def notice(self, state: VisionState) -> Message | None:
        """Say how vision is doing, over the picture; None while it is live."""
        messages = {
            VisionState.STARTING: Message(self.tr("Getting ready"), self.tr("The camera is starting")),
            VisionState.NO_CAMERA: Message(self.tr("No camera"), self.tr("The picture returns when a camera responds")),
            VisionState.RESTARTING: Message(self.tr("Just a moment"), self.tr("The camera is starting again")),
            VisionState.ENDED: Message(self.tr("The end"), self.tr("The recording is over")),
            VisionState.FAILED: Message(
                self.tr("Out of service"), self.tr("The camera cannot work with these settings")
            ),
        }
        return messages.get(state)

    def fault(self, fault: str | None) -> str:
        """Cut a fault to what fits a screen."""
        text = fault or ""
        return text if len(text) <= LONGEST_FAULT else text[: LONGEST_FAULT - 1] + "…"

    def pace(self, fps: float, latency_ms: float, *, on_reserve: bool = False) -> str:
        """Say how fast vision is, and whether it runs something else than it was told to."""
        pace = self.tr("{fps} fps · {latency} ms").format(fps=round(fps), latency=round(latency_ms))
        return self.tr("{pace} · backup engine").format(pace=pace) if on_reserve else pace

    def window_title(self) -> str:
        return self.tr("FacialNet Kiosk")
