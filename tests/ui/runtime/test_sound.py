from __future__ import annotations

import builtins
import io
import wave

import pytest
from pytestqt.qtbot import QtBot

from kiosk.ui.runtime.sound import RATE, TUNES, Sounds, waveform


@pytest.mark.parametrize("name", TUNES)
def test_a_sound_is_a_wav_file_that_does_not_click(name: str) -> None:
    with wave.open(io.BytesIO(waveform(name))) as reader:
        assert (reader.getframerate(), reader.getnchannels(), reader.getsampwidth()) == (RATE, 1, 2)
        seconds = reader.getnframes() / RATE
        frames = reader.readframes(reader.getnframes())
    assert seconds == pytest.approx(sum(each for _, each in TUNES[name]), abs=0.01)
    assert abs(int.from_bytes(frames[:2], "little", signed=True)) < 500


def test_sounds_are_off_unless_wanted(qtbot: QtBot) -> None:  # noqa: ARG001
    sounds = Sounds(enabled=False)
    assert not sounds.available
    sounds.play("good")


def test_without_multimedia_it_is_silent(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    real = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("PyQt6.QtMultimedia"):
            raise ImportError("libpulse.so.0")
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    sounds = Sounds(enabled=True)
    assert not sounds.available
    sounds.play("good")
    sounds.set_volume(0.3)
