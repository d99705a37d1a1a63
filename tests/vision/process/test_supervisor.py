"""Tests with real vision processes: starts, kills and stops them, and removes their sources."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from kiosk.estimate import ADIENCE, Observation
from kiosk.inference import ManifestError, check
from kiosk.inference.base import EngineError
from kiosk.inference.manifest import GroupEntry, Precision, write
from kiosk.inference.selection import default_path
from kiosk.vision.capture.source import DEMO
from kiosk.vision.process import supervisor
from kiosk.vision.process.messages import VisionMode, VisionState
from kiosk.vision.process.settings import VisionSettings
from kiosk.vision.process.supervisor import HUNG_AFTER, LOAD_WITHIN, VisionProcess
from tests.fakes.fake_gpu import compiled_manifest

ENGINE = {"name": "TensorRT", "precision": "fp16", "accuracy": None}
TIMEOUT = 60.0  # seconds; a busy machine loads libraries slowly


@pytest.fixture
def start_vision() -> Iterator[Callable[..., VisionProcess]]:
    running: list[VisionProcess] = []

    def start(settings: VisionSettings, mode: VisionMode = VisionMode.ESTIMATE) -> VisionProcess:
        vision = VisionProcess(settings, mode)
        running.append(vision)
        vision.start()
        return vision

    yield start
    for vision in running:
        vision.stop()


def wait_for(vision: VisionProcess, condition: Callable[[list[Observation]], bool]) -> list[Observation]:
    """Polls as a window does, until the condition holds for the observations so far; returns these."""
    seen: list[Observation] = []
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        seen += vision.poll()
        if condition(seen):
            return seen
        time.sleep(0.01)
    pytest.fail(f"the condition did not become true: {vision.state}, {vision.fault}, {len(seen)} observations")


def test_process_sends_observations_and_a_preview(start_vision: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = start_vision(VisionSettings(DEMO))
    assert vision.state is VisionState.STARTING
    observations = wait_for(vision, lambda seen: any(observation.faces for observation in seen))
    assert vision.state is VisionState.RUNNING
    frames = [observation.frame for observation in observations]
    assert frames == sorted(set(frames))
    preview = vision.preview()
    assert preview is not None
    assert preview.frame >= frames[-1]
    assert preview.image.any()


@pytest.mark.proves("theft-pictures")
@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are read from /proc")
def test_process_writes_no_core_dump(start_vision: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = start_vision(VisionSettings(DEMO))
    wait_for(vision, bool)
    limits = Path(f"/proc/{vision.pid}/limits").read_text()
    (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]


@pytest.mark.proves("vision-killed", "vision-hanging", "picture-spoilt")
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_process_that_dies_or_hangs_is_replaced(
    start_vision: Callable[[VisionSettings], VisionProcess], signal_number: signal.Signals
) -> None:
    vision = start_vision(VisionSettings(DEMO))
    wait_for(vision, bool)
    first = vision.pid
    assert first is not None
    os.kill(first, signal_number)
    states: set[VisionState] = set()

    def is_back(_: list[Observation]) -> bool:
        # The dead process's last messages may still arrive, so an observation alone proves nothing.
        states.add(vision.state)
        if vision.pid is None:
            vision.preview()  # reads the dead process's image, so that the next one is its successor's
        return vision.state is VisionState.RUNNING and vision.pid not in (first, None)

    wait_for(vision, is_back)
    assert VisionState.RESTARTING in states
    wait_for(vision, lambda _: vision.preview() is not None)  # an image that is being written is not returned
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.proves("vision-killed")
def test_dead_process_is_replaced_without_waiting_for_the_hang_timeout(
    start_vision: Callable[[VisionSettings], VisionProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    vision = start_vision(VisionSettings(DEMO))
    wait_for(vision, bool)
    assert vision.pid is not None
    monkeypatch.setattr(supervisor, "HUNG_AFTER", 3600.0)
    os.kill(vision.pid, signal.SIGKILL)
    wait_for(vision, lambda _: vision.state is VisionState.RESTARTING)
    assert vision.fault == "the vision process stopped"


@pytest.mark.proves("camera-blocked")
def test_process_that_never_worked_fails_only_for_a_lasting_error() -> None:
    """A hanging driver may recover; a wrong setting does not."""
    vision = VisionProcess(VisionSettings(DEMO), VisionMode.PRESENCE)
    try:
        vision._handle({"failed": "camera 0 hangs", "transient": True})
        assert vision.state is VisionState.STARTING
        vision._handle({"failed": "camera 0 is not there", "transient": False})
        assert vision.state is VisionState.FAILED
    finally:
        vision.stop()


def test_end_of_the_source_is_reported(start_vision: Callable[[VisionSettings], VisionProcess], clip: Path) -> None:
    vision = start_vision(VisionSettings(str(clip), loop=False))
    observations = wait_for(vision, lambda _: vision.state is VisionState.ENDED)
    assert observations[-1].frame == 9


def test_source_that_cannot_be_opened_fails_with_one_line(
    start_vision: Callable[[VisionSettings], VisionProcess], tmp_path: Path
) -> None:
    vision = start_vision(VisionSettings(str(tmp_path / "nothing.mp4")))
    wait_for(vision, lambda _: vision.state is VisionState.FAILED)
    assert vision.fault is not None
    assert "nothing.mp4 does not exist" in vision.fault
    assert "\n" not in vision.fault


def test_source_that_vanishes_later_is_retried(
    start_vision: Callable[[VisionSettings], VisionProcess], clip: Path
) -> None:
    vision = start_vision(VisionSettings(str(clip)))
    wait_for(vision, bool)
    hidden = clip.rename(clip.with_suffix(".away"))
    wait_for(vision, lambda _: vision.state is VisionState.RESTARTING)
    assert vision.fault is not None
    hidden.rename(clip)
    wait_for(vision, lambda seen: bool(seen) and vision.state is VisionState.RUNNING)
    assert vision.fault is None


def test_missing_engine_is_refused_before_the_process_starts(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.onnx"):
        VisionProcess(VisionSettings(DEMO, engine=tmp_path / "none.onnx"))


@pytest.mark.proves("engine-gone-start")
def test_engine_missing_at_start_is_retried_with_wait_for_device(
    start_vision: Callable[[VisionSettings], VisionProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_ENGINE_CHECK_INTERVAL", 0.0)
    engine = tmp_path / "late.onnx"
    vision = start_vision(VisionSettings(DEMO, engine=engine, wait_for_device=True))
    for _ in range(3):
        assert vision.poll() == []
        assert (vision.state, vision.pid) == (VisionState.FAILED, None)
        assert "late.onnx" in (vision.fault or "")
    groups = tuple(GroupEntry(label=each.label, low=each.low, high=each.high) for each in ADIENCE)
    engine.write_bytes(default_path().read_bytes())
    write(check().model_copy(update={"age_groups": groups}), engine)
    wait_for(vision, lambda seen: bool(seen))
    assert (vision.state, vision.fault, vision.groups) == (VisionState.RUNNING, None, ADIENCE)


def test_replaced_engine_is_reported(
    start_vision: Callable[[VisionSettings], VisionProcess], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = tmp_path / "unfit.engine"
    engine.write_bytes(b"compiled elsewhere")
    write(compiled_manifest(engine.read_bytes(), version="0.0.0.1", network_sha256=check().network), engine)
    vision = start_vision(VisionSettings(DEMO, engine=engine))
    wait_for(vision, bool)
    assert vision.engine_fault is not None
    assert vision.engine_fault.startswith("unfit.engine does not run here, ONNX Runtime on the CPU does: ")
    assert vision.state is VisionState.RUNNING
    assert caplog.messages == [vision.engine_fault]


@pytest.mark.proves("gpu-crashes")
@pytest.mark.parametrize(
    "message",
    [{"loading_gpu": True}, {"engine_fault": None, "on_gpu": True, "engine": ENGINE}],
    ids=["loading", "running"],
)
def test_gpu_is_not_used_after_two_crashes(
    start_vision: Callable[[VisionSettings], VisionProcess],
    message: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    vision = start_vision(VisionSettings(DEMO))
    for times in (1, 2):
        wait_for(vision, lambda seen: bool(seen) and vision.pid is not None)
        assert vision.engine_fault is None
        send_message(vision, **message)
        kill_and_wait_for_restart(vision)
        assert vision._settings.cpu_only == (times == 2)
    wait_for(vision, lambda seen: bool(seen) and vision.state is VisionState.RUNNING)
    line = "the vision process stopped 2 times with the engine on the GPU: running on the CPU"
    assert vision.engine_fault == line
    assert caplog.messages.count(line) == 1


def test_reported_failures_do_not_count_as_gpu_crashes(start_vision: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = start_vision(VisionSettings(DEMO))
    for _ in range(3):
        wait_for(vision, lambda seen: bool(seen) and vision.pid is not None)
        send_message(vision, loading_gpu=True)
        send_message(vision, failed="the camera hangs", transient=True)
        kill_and_wait_for_restart(vision)
    assert not vision._settings.cpu_only
    assert vision.engine_fault is None


def test_engine_on_a_gpu_gets_more_time_to_load(start_vision: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = start_vision(VisionSettings(DEMO))
    wait_for(vision, bool)
    assert vision._allowed_silence == HUNG_AFTER
    send_message(vision, loading_gpu=True)
    wait_for(vision, lambda _: vision._loading_gpu)
    assert vision._allowed_silence == LOAD_WITHIN
    send_message(vision, engine_fault=None, on_gpu=True, engine=ENGINE)
    wait_for(vision, lambda _: not vision._loading_gpu)
    assert vision._allowed_silence == HUNG_AFTER


def send_message(vision: VisionProcess, **fields: object) -> None:
    """Sends a message in the place of the vision process."""
    vision._worker_socket.send(json.dumps({"run": vision._run, **fields}).encode())


def kill_and_wait_for_restart(vision: VisionProcess) -> None:
    assert vision.pid is not None
    os.kill(vision.pid, signal.SIGKILL)
    wait_for(vision, lambda _: vision.state is VisionState.RESTARTING)


def test_process_ends_if_the_kiosk_dies_before_it_is_ready(tmp_path: Path) -> None:
    message = tmp_path / "pid"
    kiosk = (
        "import os, pathlib, sys\n"
        "from kiosk.vision.process.supervisor import VisionProcess\n"
        "from kiosk.vision.process.settings import VisionSettings\n"
        "if __name__ == '__main__':\n"
        "    vision = VisionProcess(VisionSettings('demo'))\n"
        "    vision.start()\n"
        "    pathlib.Path(sys.argv[1]).write_text(str(vision.pid))\n"
        "    os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", kiosk, message], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    orphan = int(message.read_text())
    deadline = time.monotonic() + TIMEOUT
    while is_running(orphan):
        assert time.monotonic() < deadline, f"process {orphan} is still there"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Returns whether a process runs. A zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_stopping_leaves_no_process_and_no_shared_memory() -> None:
    vision = VisionProcess(VisionSettings(DEMO))
    name = vision._memory.name
    vision.start()
    wait_for(vision, bool)
    pid = vision.pid
    assert pid is not None
    vision.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not Path("/dev/shm", name).exists()


def any_face(seen: list[Observation]) -> bool:
    return any(observation.faces for observation in seen)


def any_estimate(seen: list[Observation]) -> bool:
    return any(face.estimate for observation in seen for face in observation.faces)


def any_judged(seen: list[Observation]) -> bool:
    return any(face.live is not None for observation in seen for face in observation.faces)


def any_unjudged(seen: list[Observation]) -> bool:
    return any(face.live is None for observation in seen for face in observation.faces)


def kill_and_wait_for_successor(vision: VisionProcess) -> None:
    first = vision.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(vision, lambda _: vision.pid not in (first, None))


def test_presence_mode_sends_no_estimate_and_no_image(
    start_vision: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = start_vision(VisionSettings(DEMO), VisionMode.PRESENCE)
    for _ in ("first", "its successor"):
        seen = wait_for(vision, lambda seen: sum(bool(observation.faces) for observation in seen) > 20)
        faces = [face for observation in seen for face in observation.faces]
        assert not any_estimate(seen)
        assert {(face.status, face.quality, face.live) for face in faces} == {("unknown", 0.0, None)}
        assert vision.preview() is None
        assert vision._memory.blank, "a picture reached the shared memory"
        kill_and_wait_for_successor(vision)


@pytest.mark.proves("vision-killed")
def test_new_process_keeps_the_mode_until_it_is_changed(
    start_vision: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = start_vision(VisionSettings(DEMO), VisionMode.PRESENCE)
    wait_for(vision, any_face)
    vision.set_mode(VisionMode.ESTIMATE)
    wait_for(vision, any_estimate)
    wait_for(vision, lambda _: vision.preview() is not None)
    kill_and_wait_for_successor(vision)
    wait_for(vision, any_estimate)
    vision.set_mode(VisionMode.PRESENCE)
    assert vision.preview() is None
    seen = wait_for(vision, any_face)
    assert not any_estimate(seen)
    wait_for(vision, lambda _: vision._memory.blank)


def test_tracks_are_forgotten_when_consent_ends(
    start_vision: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = start_vision(VisionSettings(DEMO), VisionMode.ESTIMATE)
    known = wait_for(vision, lambda seen: any(face.status == "known" for each in seen for face in each.faces))
    assert known[-1].faces[0].track >= 1
    # At once: the process has had no time to apply the first command.
    vision.set_mode(VisionMode.PRESENCE)
    vision.set_mode(VisionMode.ESTIMATE)
    assert vision.preview() is None
    first = next(face for each in wait_for(vision, any_face) for face in each.faces)
    assert (first.track, first.status) == (1, "estimating")


def test_observations_of_an_earlier_command_are_dropped(
    start_vision: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = start_vision(VisionSettings(DEMO), VisionMode.ESTIMATE)
    wait_for(vision, any_estimate)
    assert vision.pid is not None
    assert select.select([vision._socket], [], [], TIMEOUT)[0]  # an unread message is waiting
    os.kill(vision.pid, signal.SIGSTOP)  # its messages are in the channel and its image in the memory
    vision.set_mode(VisionMode.PRESENCE)
    assert vision.poll() == []
    vision.set_mode(VisionMode.ESTIMATE)
    assert vision.poll() == []
    assert vision.preview() is None


def test_command_lost_in_a_full_channel_is_sent_again(
    start_vision: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = start_vision(VisionSettings(DEMO), VisionMode.ESTIMATE)
    wait_for(vision, any_estimate)
    lost, vision._send_command = vision._send_command, lambda: None  # type: ignore[method-assign]
    vision.set_mode(VisionMode.PRESENCE)
    vision._send_command = lost  # type: ignore[method-assign]
    assert not any_estimate(wait_for(vision, any_face))


def test_liveness_is_judged_in_age_check_mode_also_by_a_new_process(
    start_vision: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = start_vision(VisionSettings(DEMO), VisionMode.ESTIMATE)
    wait_for(vision, any_unjudged)
    vision.set_mode(VisionMode.AGE_CHECK)
    assert not any_unjudged(wait_for(vision, any_judged))
    vision.set_mode(VisionMode.ESTIMATE)
    assert not any_judged(wait_for(vision, any_unjudged))
    vision.set_mode(VisionMode.AGE_CHECK)
    kill_and_wait_for_successor(vision)
    wait_for(vision, any_judged)


def test_landmarks_are_sent_only_in_service_mode(
    start_vision: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    def any_landmarks(seen: list[Observation]) -> bool:
        return any(face.landmarks for observation in seen for face in observation.faces)

    vision = start_vision(VisionSettings(DEMO), VisionMode.SERVICE)
    (face, *_) = next(seen.faces for seen in reversed(wait_for(vision, any_landmarks)) if seen.faces)
    left, top, width, height = face.box
    assert face.landmarks is not None
    assert len(face.landmarks) == 5
    assert all(left <= x <= left + width and top <= y <= top + height for x, y in face.landmarks)
    for mode in (VisionMode.AGE_CHECK, VisionMode.ESTIMATE, VisionMode.PRESENCE):
        vision.set_mode(mode)
        assert not any_landmarks(wait_for(vision, any_face))


def test_process_reports_its_engine(start_vision: Callable[[VisionSettings, VisionMode], VisionProcess]) -> None:
    vision = start_vision(VisionSettings(DEMO), VisionMode.PRESENCE)
    assert vision.engine is None
    wait_for(vision, bool)
    assert vision.engine is not None
    assert "CPU" in vision.engine.name
    assert vision.engine.precision in get_args(Precision)
    assert vision.engine.accuracy is not None
    assert vision.engine.accuracy.faces > 1000


def test_use_engine_starts_a_new_process(start_vision: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = start_vision(VisionSettings(DEMO, engine=default_path()))
    wait_for(vision, lambda seen: bool(seen))
    first, name = vision.pid, vision.engine
    assert name is not None
    assert name.precision == "fp32"
    vision.use_engine(None)
    assert (vision.state, vision.engine) == (VisionState.STARTING, None)
    wait_for(vision, lambda seen: bool(seen))
    assert vision.pid != first
    assert vision.engine is not None


def test_incompatible_engine_changes_nothing(
    start_vision: Callable[[VisionSettings], VisionProcess], tmp_path: Path
) -> None:
    vision = start_vision(VisionSettings(DEMO))
    wait_for(vision, lambda seen: bool(seen))
    pid = vision.pid
    with pytest.raises(ManifestError):
        vision.use_engine(tmp_path / "nothere.onnx")
    manifest = check()
    (tmp_path / "other.onnx").write_bytes(default_path().read_bytes())
    groups = tuple(GroupEntry(label=each.label, low=each.low, high=each.high) for each in ADIENCE)
    write(manifest.model_copy(update={"age_groups": groups}), tmp_path / "other.onnx")
    with pytest.raises(EngineError, match="other age groups"):
        vision.use_engine(tmp_path / "other.onnx")
    assert (vision.pid, vision.state) == (pid, VisionState.RUNNING)
