"""Short sounds, made here and not recorded; silent where Qt has no sound or the operator wants none.

QtMultimedia needs libraries (PulseAudio's) that a machine without a loudspeaker lacks. It is therefore looked for when
a sound is wanted, and done without where it cannot be loaded.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from pathlib import Path
from typing import Any, Final

from PyQt6.QtCore import QTemporaryDir, QUrl, qInstallMessageHandler

RATE: Final = 22_050
LOUDNESS: Final = 0.25

TUNES: Final = {
    "touch": ((1320.0, 0.035),),
    "good": ((660.0, 0.09), (880.0, 0.09), (1320.0, 0.16)),
    "sorry": ((440.0, 0.14), (330.0, 0.22)),
    "attention": ((880.0, 0.12), (880.0, 0.12)),
}
"""Frequencies in hertz and seconds of each tone."""


def waveform(name: str) -> bytes:
    """A WAV file: 16 bits, mono. Each tone swells and fades, so that nothing clicks."""
    samples: list[int] = []
    for hertz, seconds in TUNES[name]:
        count = int(RATE * seconds)
        for index in range(count):
            envelope = math.sin(math.pi * index / count) ** 0.5
            samples.append(round(32767 * LOUDNESS * envelope * math.sin(2 * math.pi * hertz * index / RATE)))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def _effect_class() -> type[Any] | None:
    """`QSoundEffect`, where there is one and a loudspeaker to hear it by."""
    # Looking for them, Qt complains of every sound system that the machine lacks.
    before = qInstallMessageHandler(lambda *_: None)
    try:
        from PyQt6.QtMultimedia import QMediaDevices, QSoundEffect

        return None if QMediaDevices.defaultAudioOutput().isNull() else QSoundEffect
    except ImportError:
        return None
    finally:
        qInstallMessageHandler(before)


class Sounds:
    """Plays, if it is on and can."""

    def __init__(self, *, on: bool, volume: float = 0.6) -> None:
        self._effects: dict[str, Any] = {}
        self._folder: QTemporaryDir | None = None
        if on:
            self._load(volume)

    @property
    def available(self) -> bool:
        return bool(self._effects)

    def set_volume(self, volume: float) -> None:
        """From 0 to 1."""
        for effect in self._effects.values():
            effect.setVolume(volume)

    def play(self, name: str) -> None:
        if effect := self._effects.get(name):
            effect.play()

    def _load(self, volume: float) -> None:
        effect_class = _effect_class()
        if effect_class is None:
            return
        self._folder = QTemporaryDir()
        for name in TUNES:
            path = Path(self._folder.filePath(f"{name}.wav"))
            path.write_bytes(waveform(name))
            effect = effect_class()
            effect.setSource(QUrl.fromLocalFile(str(path)))
            effect.setVolume(volume)
            self._effects[name] = effect
