"""The vision process, for real: it is started, killed, stopped and cut off from its camera."""

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
PATIENCE = 60.0  # a busy machine loads libraries slowly; nothing is timed here


@pytest.fixture
def started() -> Iterator[Callable[..., VisionProcess]]:
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
    """Polls as a window does, until the condition holds of what came."""
    seen: list[Observation] = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        seen += vision.poll()
        if condition(seen):
            return seen
        time.sleep(0.01)
    pytest.fail(f"nothing of the kind came: {vision.state}, {vision.fault}, {len(seen)} observations")


def test_it_shows_and_tells_what_it_sees(started: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = started(VisionSettings(DEMO))
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
def test_its_core_would_hold_a_picture_and_is_not_kept(started: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = started(VisionSettings(DEMO))
    wait_for(vision, bool)
    limits = Path(f"/proc/{vision.pid}/limits").read_text()
    (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]


@pytest.mark.proves("vision-killed", "vision-hanging", "picture-spoilt")
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_it_is_replaced_when_it_dies_or_hangs(
    started: Callable[[VisionSettings], VisionProcess], blow: signal.Signals
) -> None:
    vision = started(VisionSettings(DEMO))
    wait_for(vision, bool)
    first = vision.pid
    assert first is not None
    os.kill(first, blow)
    states: set[VisionState] = set()

    def is_back(_: list[Observation]) -> bool:
        # The last words of the one that died may still be on their way: an observation alone proves nothing.
        states.add(vision.state)
        if vision.pid is None:
            vision.preview()  # takes what the dead one left, so that the next picture is its successor's
        return vision.state is VisionState.RUNNING and vision.pid not in (first, None)

    wait_for(vision, is_back)
    assert VisionState.RESTARTING in states
    wait_for(vision, lambda _: vision.preview() is not None)  # one that is just being written is not given
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.proves("vision-killed")
def test_a_process_that_dies_is_replaced_without_waiting_for_its_silence(
    started: Callable[[VisionSettings], VisionProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    vision = started(VisionSettings(DEMO))
    wait_for(vision, bool)
    assert vision.pid is not None
    monkeypatch.setattr(supervisor, "HUNG_AFTER", 3600.0)
    os.kill(vision.pid, signal.SIGKILL)
    wait_for(vision, lambda _: vision.state is VisionState.RESTARTING)
    assert vision.fault == "the vision process stopped"


@pytest.mark.proves("camera-blocked")
def test_a_process_that_never_worked_is_given_up_for_what_will_not_pass_alone() -> None:
    """A driver that hangs may be well again, as a wrong setting is not."""
    vision = VisionProcess(VisionSettings(DEMO), VisionMode.PRESENCE)
    try:
        vision._handle({"failed": "camera 0 hangs", "transient": True})
        assert vision.state is VisionState.STARTING
        vision._handle({"failed": "camera 0 is not there", "transient": False})
        assert vision.state is VisionState.FAILED
    finally:
        vision.stop()


def test_a_source_that_ends_says_so(started: Callable[[VisionSettings], VisionProcess], clip: Path) -> None:
    vision = started(VisionSettings(str(clip), loop=False))
    observations = wait_for(vision, lambda _: vision.state is VisionState.ENDED)
    assert observations[-1].frame == 9


def test_a_source_that_cannot_be_opened_is_a_failure_in_one_line(
    started: Callable[[VisionSettings], VisionProcess], tmp_path: Path
) -> None:
    vision = started(VisionSettings(str(tmp_path / "nothing.mp4")))
    wait_for(vision, lambda _: vision.state is VisionState.FAILED)
    assert vision.fault is not None
    assert "nothing.mp4 does not exist" in vision.fault
    assert "\n" not in vision.fault


def test_a_source_that_vanishes_later_is_looked_for_again(
    started: Callable[[VisionSettings], VisionProcess], clip: Path
) -> None:
    vision = started(VisionSettings(str(clip)))
    wait_for(vision, bool)
    hidden = clip.rename(clip.with_suffix(".away"))
    wait_for(vision, lambda _: vision.state is VisionState.RESTARTING)
    assert vision.fault is not None
    hidden.rename(clip)
    wait_for(vision, lambda seen: bool(seen) and vision.state is VisionState.RUNNING)
    assert vision.fault is None


def test_an_engine_that_is_not_there_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.onnx"):
        VisionProcess(VisionSettings(DEMO, engine=tmp_path / "none.onnx"))


@pytest.mark.proves("engine-gone-start")
def test_whoever_is_patient_looks_for_an_engine_that_is_not_there_at_the_start(
    started: Callable[[VisionSettings], VisionProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_LOOK_FOR_ENGINE_EVERY", 0.0)
    engine = tmp_path / "late.onnx"
    vision = started(VisionSettings(DEMO, engine=engine, wait_for_device=True))
    for _ in range(3):
        assert vision.poll() == []
        assert (vision.state, vision.pid) == (VisionState.FAILED, None)
        assert "late.onnx" in (vision.fault or "")
    groups = tuple(GroupEntry(label=each.label, low=each.low, high=each.high) for each in ADIENCE)
    engine.write_bytes(default_path().read_bytes())
    write(check().model_copy(update={"age_groups": groups}), engine)
    wait_for(vision, lambda seen: bool(seen))
    assert (vision.state, vision.fault, vision.groups) == (VisionState.RUNNING, None, ADIENCE)


def test_an_engine_that_is_not_the_one_asked_for_is_told(
    started: Callable[[VisionSettings], VisionProcess], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = tmp_path / "unfit.engine"
    engine.write_bytes(b"compiled elsewhere")
    write(compiled_manifest(engine.read_bytes(), version="0.0.0.1", network_sha256=check().network), engine)
    vision = started(VisionSettings(DEMO, engine=engine))
    wait_for(vision, bool)
    assert vision.engine_fault is not None
    assert vision.engine_fault.startswith("unfit.engine does not run here, ONNX Runtime on the CPU does: ")
    assert vision.state is VisionState.RUNNING
    assert caplog.messages == [vision.engine_fault]


@pytest.mark.proves("gpu-crashes")
@pytest.mark.parametrize(
    "said",
    [{"loading_gpu": True}, {"engine_fault": None, "on_gpu": True, "engine": ENGINE}],
    ids=["loading", "running"],
)
def test_a_gpu_library_that_kills_the_process_twice_is_left_alone(
    started: Callable[[VisionSettings], VisionProcess], said: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    vision = started(VisionSettings(DEMO))
    for times in (1, 2):
        wait_for(vision, lambda seen: bool(seen) and vision.pid is not None)
        assert vision.engine_fault is None
        told(vision, **said)
        die(vision)
        assert vision._settings.cpu_only == (times == 2)
    wait_for(vision, lambda seen: bool(seen) and vision.state is VisionState.RUNNING)
    line = "the vision process stopped 2 times with the engine on the GPU: running on the CPU"
    assert vision.engine_fault == line
    assert caplog.messages.count(line) == 1


def test_what_else_ends_the_process_is_not_the_gpus_fault(started: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = started(VisionSettings(DEMO))
    for _ in range(3):
        wait_for(vision, lambda seen: bool(seen) and vision.pid is not None)
        told(vision, loading_gpu=True)
        told(vision, failed="the camera hangs", transient=True)
        die(vision)
    assert not vision._settings.cpu_only
    assert vision.engine_fault is None


def test_an_engine_on_a_gpu_may_take_long_to_load(started: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = started(VisionSettings(DEMO))
    wait_for(vision, bool)
    assert vision._allowed_silence == HUNG_AFTER
    told(vision, loading_gpu=True)
    wait_for(vision, lambda _: vision._loading_gpu)
    assert vision._allowed_silence == LOAD_WITHIN
    told(vision, engine_fault=None, on_gpu=True, engine=ENGINE)
    wait_for(vision, lambda _: not vision._loading_gpu)
    assert vision._allowed_silence == HUNG_AFTER


def told(vision: VisionProcess, **said: object) -> None:
    """Says what the vision process would say."""
    vision._their_socket.send(json.dumps({"run": vision._run, **said}).encode())


def die(vision: VisionProcess) -> None:
    assert vision.pid is not None
    os.kill(vision.pid, signal.SIGKILL)
    wait_for(vision, lambda _: vision.state is VisionState.RESTARTING)


def test_it_ends_when_the_kiosk_died_before_it_was_ready(tmp_path: Path) -> None:
    said = tmp_path / "pid"
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
    subprocess.run([sys.executable, "-c", kiosk, said], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    orphan = int(said.read_text())
    deadline = time.monotonic() + PATIENCE
    while is_running(orphan):
        assert time.monotonic() < deadline, f"process {orphan} is still there"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether a process does anything; one that nobody has buried yet does not."""
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


def judged(seen: list[Observation]) -> bool:
    return any(face.live is not None for observation in seen for face in observation.faces)


def unjudged(seen: list[Observation]) -> bool:
    return any(face.live is None for observation in seen for face in observation.faces)


def kill(vision: VisionProcess) -> None:
    first = vision.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(vision, lambda _: vision.pid not in (first, None))


def test_until_somebody_consents_it_only_notices_that_somebody_is_there(
    started: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = started(VisionSettings(DEMO), VisionMode.PRESENCE)
    for _ in ("first", "its successor"):
        seen = wait_for(vision, lambda seen: sum(bool(observation.faces) for observation in seen) > 20)
        faces = [face for observation in seen for face in observation.faces]
        assert not any_estimate(seen)
        assert {(face.status, face.quality, face.live) for face in faces} == {("unknown", 0.0, None)}
        assert vision.preview() is None
        assert vision._memory.blank, "a picture reached the shared memory"
        kill(vision)


@pytest.mark.proves("vision-killed")
def test_consent_lasts_until_it_is_taken_back_also_in_a_new_process(
    started: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = started(VisionSettings(DEMO), VisionMode.PRESENCE)
    wait_for(vision, any_face)
    vision.set_mode(VisionMode.ESTIMATE)
    wait_for(vision, any_estimate)
    wait_for(vision, lambda _: vision.preview() is not None)
    kill(vision)
    wait_for(vision, any_estimate)
    vision.set_mode(VisionMode.PRESENCE)
    assert vision.preview() is None
    seen = wait_for(vision, any_face)
    assert not any_estimate(seen)
    wait_for(vision, lambda _: vision._memory.blank)


def test_nobody_is_remembered_across_the_end_of_consent(
    started: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = started(VisionSettings(DEMO), VisionMode.ESTIMATE)
    known = wait_for(vision, lambda seen: any(face.status == "known" for each in seen for face in each.faces))
    assert known[-1].faces[0].track >= 1
    # As fast as a finger can be: nothing waits for the process to have obeyed in between.
    vision.set_mode(VisionMode.PRESENCE)
    vision.set_mode(VisionMode.ESTIMATE)
    assert vision.preview() is None
    first = next(face for each in wait_for(vision, any_face) for face in each.faces)
    assert (first.track, first.status) == (1, "estimating")


def test_what_was_made_under_an_older_order_never_arrives(
    started: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = started(VisionSettings(DEMO), VisionMode.ESTIMATE)
    wait_for(vision, any_estimate)
    assert vision.pid is not None
    assert select.select([vision._socket], [], [], PATIENCE)[0]  # something is there that nobody took yet
    os.kill(vision.pid, signal.SIGSTOP)  # what it said lies in the channel and its picture in the memory
    vision.set_mode(VisionMode.PRESENCE)
    assert vision.poll() == []
    vision.set_mode(VisionMode.ESTIMATE)
    assert vision.poll() == []
    assert vision.preview() is None


def test_an_order_that_a_full_channel_lost_is_given_again(
    started: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = started(VisionSettings(DEMO), VisionMode.ESTIMATE)
    wait_for(vision, any_estimate)
    lost, vision._send_command = vision._send_command, lambda: None  # type: ignore[method-assign]
    vision.set_mode(VisionMode.PRESENCE)
    vision._send_command = lost  # type: ignore[method-assign]
    assert not any_estimate(wait_for(vision, any_face))


def test_it_judges_whether_a_face_is_alive_during_an_age_check_and_so_does_its_successor(
    started: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    vision = started(VisionSettings(DEMO), VisionMode.ESTIMATE)
    wait_for(vision, unjudged)
    vision.set_mode(VisionMode.AGE_CHECK)
    assert not unjudged(wait_for(vision, judged))
    vision.set_mode(VisionMode.ESTIMATE)
    assert not judged(wait_for(vision, unjudged))
    vision.set_mode(VisionMode.AGE_CHECK)
    kill(vision)
    wait_for(vision, judged)


def test_landmarks_leave_it_in_service_mode_alone(
    started: Callable[[VisionSettings, VisionMode], VisionProcess],
) -> None:
    def pointed(seen: list[Observation]) -> bool:
        return any(face.landmarks for observation in seen for face in observation.faces)

    vision = started(VisionSettings(DEMO), VisionMode.SERVICE)
    (face, *_) = next(seen.faces for seen in reversed(wait_for(vision, pointed)) if seen.faces)
    left, top, width, height = face.box
    assert face.landmarks is not None
    assert len(face.landmarks) == 5
    assert all(left <= x <= left + width and top <= y <= top + height for x, y in face.landmarks)
    for mode in (VisionMode.AGE_CHECK, VisionMode.ESTIMATE, VisionMode.PRESENCE):
        vision.set_mode(mode)
        assert not pointed(wait_for(vision, any_face))


def test_it_says_what_runs_the_network(started: Callable[[VisionSettings, VisionMode], VisionProcess]) -> None:
    vision = started(VisionSettings(DEMO), VisionMode.PRESENCE)
    assert vision.engine is None
    wait_for(vision, bool)
    assert vision.engine is not None
    assert "CPU" in vision.engine.name
    assert vision.engine.precision in get_args(Precision)
    assert vision.engine.accuracy is not None
    assert vision.engine.accuracy.faces > 1000


def test_another_engine_is_used_in_a_new_process(started: Callable[[VisionSettings], VisionProcess]) -> None:
    vision = started(VisionSettings(DEMO, engine=default_path()))
    wait_for(vision, lambda seen: bool(seen))
    first, name = vision.pid, vision.engine
    assert name is not None
    assert name.precision == "fp32"
    vision.use_engine(None)
    assert (vision.state, vision.engine) == (VisionState.STARTING, None)
    wait_for(vision, lambda seen: bool(seen))
    assert vision.pid != first
    assert vision.engine is not None


def test_an_engine_that_does_not_fit_changes_nothing(
    started: Callable[[VisionSettings], VisionProcess], tmp_path: Path
) -> None:
    vision = started(VisionSettings(DEMO))
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
