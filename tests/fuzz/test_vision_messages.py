"""With damaged messages and frames from the vision process, the kiosk goes on and accepts only possible values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
import pytest

from kiosk.estimate import Observation
from kiosk.vision.process.settings import VisionSettings
from kiosk.vision.process.shared_frames import MAX_PIXELS, PreviewMemory
from kiosk.vision.process.supervisor import MAX_MESSAGES_PER_POLL, VisionProcess
from tests.fuzz.mutations import mutations, rounds
from tests.fuzz.structures import damage_json

FACE = {
    "track": 4,
    "box": [212, 80, 96, 96],
    "quality": 0.93,
    "status": "known",
    "gender": {"label": "female", "probabilities": {"female": 0.97, "male": 0.03}},
    "age": {
        "group": "20-29",
        "low": 20,
        "high": 29,
        "expected": 26.4,
        "probabilities": {
            "0-2": 0.0, "3-9": 0.0, "10-19": 0.12, "20-29": 0.61, "30-39": 0.27, "40-49": 0.0, "50-59": 0.0, "60+": 0.0
        },
    },
    "live": True,
}  # fmt: skip
MESSAGES = (
    {"run": 1, "state": "no camera", "fault": "it is away"},
    {"run": 1, "loading_gpu": True},
    {"run": 1, "engine_fault": None, "on_gpu": False, "engine": {"name": "a", "precision": "int8", "accuracy": None}},
    {"run": 1, "command": 0, "observation": {"time": 12.345, "frame": 311, "latency_ms": 18.2, "faces": [FACE, FACE]}},
    {"run": 1, "failed": "no", "transient": False},
)


@pytest.fixture
def vision() -> Iterator[VisionProcess]:
    """The supervisor without its process: the test sends the messages."""
    vision = VisionProcess(VisionSettings("demo"))
    vision._run = 1
    vision._supervise = lambda: None  # type: ignore[method-assign]
    yield vision
    vision.stop()


def read_observations(vision: VisionProcess, *datagrams: bytes) -> list[Observation]:
    for datagram in datagrams:
        vision._worker_socket.send(datagram)
    return vision.poll()


def test_the_samples_are_understood(vision: VisionProcess) -> None:
    observations = read_observations(vision, *(json.dumps(message).encode() for message in MESSAGES))
    assert [len(observation.faces) for observation in observations] == [2]
    assert vision.fault == "no"
    assert vision.engine is not None


@pytest.mark.proves("engine-vision-process")
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: "-".join(message))
def test_damaged_messages_are_ignored(vision: VisionProcess, message: dict[str, object]) -> None:
    for damaged in mutations(json.dumps(message).encode(), within=damage_json):
        for observation in read_observations(vision, damaged[: 1 << 15]):
            assert_possible(observation)
        assert vision.fault is None or isinstance(vision.fault, str)
        assert vision.engine_fault is None or isinstance(vision.engine_fault, str)


def assert_possible(observation: Observation) -> None:
    """Checks what every reader of an observation relies on."""
    assert json.loads(observation.to_json())["frame"] >= 0
    for face in observation.faces:
        assert face.track >= 1
        assert all(abs(value) <= 1 << 20 for value in face.box)
        assert 0 <= face.quality <= 1
        if face.estimate:
            for probabilities in (face.estimate.gender_probabilities, face.estimate.age_probabilities):
                assert all(math.isfinite(each) and 0 <= each <= 1 for each in probabilities)
            assert 0 <= face.estimate.probability_at_least(18) <= 1 + 1e-6


@pytest.mark.proves("engine-vision-process")
def test_a_flood_of_messages_does_not_block_the_kiosk(vision: VisionProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    class Flood:
        def recv(self, _length: int) -> bytes:
            taken.append(None)
            return b"{}"

    with monkeypatch.context() as patched:
        patched.setattr(vision, "_socket", Flood())
        assert vision.poll() == []
    assert len(taken) == MAX_MESSAGES_PER_POLL


def test_a_damaged_preview_is_shown_or_ignored() -> None:
    memory = PreviewMemory.create()
    try:
        read_damaged_previews(memory)
    finally:
        memory.close()


def read_damaged_previews(memory: PreviewMemory) -> None:
    extremes = (-(2**63), -1280, -1, 0, 1, 720, 1280, MAX_PIXELS, 2**31, 2**63 - 1)
    shown = 0
    for frame, random in enumerate(rounds(), 1):
        memory.write(np.full((48, 64, 3), frame % 251, np.uint8), frame)
        for header in memory._headers:
            header[random.randrange(1, 6)] = random.choice(extremes)
        preview = memory.read()
        if preview is not None:
            shown += 1
            height, width, channels = preview.image.shape
            assert 0 < width * height <= MAX_PIXELS
            assert channels == 4
            assert all(0 < side <= 1 << 16 for side in preview.frame_size)
    assert shown
