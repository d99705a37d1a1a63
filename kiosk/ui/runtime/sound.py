"""Plays short synthesised sounds. It is silent without sound support, or if the operator disabled sound.

QtMultimedia needs libraries (PulseAudio's) that a machine without a loudspeaker lacks. So it is loaded only when sound
is enabled, and its absence is no error.
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
"""The tones of each sound, as frequency in hertz and duration in seconds."""


def waveform(name: str) -> bytes:
    """Returns a sound as a WAV file: 16 bits, mono. Each tone fades in and out, so that nothing clicks."""
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
    """Returns `QSoundEffect`, or None without QtMultimedia or an audio output."""
    # Qt would print a message for every missing sound system.
    before = qInstallMessageHandler(lambda *_: None)
    try:
        from PyQt6.QtMultimedia import QMediaDevices, QSoundEffect

        return None if QMediaDevices.defaultAudioOutput().isNull() else QSoundEffect
    except ImportError:
        return None
    finally:
        qInstallMessageHandler(before)


class Sounds:
    """Plays the sounds of `TUNES`, if sound is enabled and available."""

    def __init__(self, *, enabled: bool, volume: float = 0.6) -> None:
        self._effects: dict[str, Any] = {}
        self._folder: QTemporaryDir | None = None
        if enabled:
            self._load(volume)

    @property
    def available(self) -> bool:
        """Whether sounds can be played."""
        return bool(self._effects)

    def set_volume(self, volume: float) -> None:
        """Sets the volume, 0 to 1."""
        for effect in self._effects.values():
            effect.setVolume(volume)

    def play(self, name: str) -> None:
        """Starts a sound of `TUNES`."""
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
