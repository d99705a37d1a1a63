"""Tests a real vision process with a simulated camera whose behaviour changes while the process runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest

from kiosk.vision.process import supervisor
from kiosk.vision.process.messages import VisionMode, VisionState
from kiosk.vision.process.settings import VisionSettings
from kiosk.vision.process.supervisor import VisionProcess
from tests.fakes import faulty_vision

TIMEOUT = 60.0  # seconds; a busy machine loads libraries slowly


@dataclass
class Rig:
    vision: VisionProcess
    control_file: Path

    def set_camera(self, behaviour: str) -> None:
        """Sets the camera's behaviour. The file is replaced, so that the process never reads half of it."""
        new = self.control_file.with_suffix(".new")
        new.write_text(behaviour, encoding="ascii")
        new.replace(self.control_file)

    def wait_for(self, condition: Callable[[], bool], seen: bool | None = None) -> None:
        """Polls until the condition holds and, if `seen` is given, the same call returned observations or none."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            came = bool(self.vision.poll())
            if condition() and seen in (None, came):
                return
            time.sleep(0.01)
        pytest.fail(f"the condition did not become true: {self.vision.state}, {self.vision.fault}")

    def wait_for_observation(self) -> None:
        self.wait_for(lambda: self.vision.state is VisionState.RUNNING, seen=True)

    def wait_for_no_camera(self) -> None:
        self.wait_for(lambda: self.vision.state is VisionState.NO_CAMERA)

    def assert_same_process(self, pid: int | None) -> None:
        """Asserts that the process was not replaced."""
        assert self.vision.pid == pid


@pytest.fixture
def start_rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Rig]]:
    monkeypatch.setattr(supervisor, "work", faulty_vision.work)
    monkeypatch.setenv(faulty_vision.CONTROL_FILE, str(tmp_path / "camera"))
    running: list[VisionProcess] = []

    def start(behaviour: str, mode: VisionMode = VisionMode.PRESENCE, engine: Path | None = None) -> Rig:
        vision = VisionProcess(VisionSettings("0", wait_for_device=True, engine=engine), mode)
        running.append(vision)
        rig = Rig(vision, tmp_path / "camera")
        rig.set_camera(behaviour)
        vision.start()
        return rig

    yield start
    for vision in running:
        vision.stop()


@pytest.mark.proves("camera-absent")
def test_camera_absent_at_boot_is_used_once_plugged_in(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig("absent")
    rig.wait_for_no_camera()
    assert rig.vision.fault == "camera 0 gives no picture"
    first = rig.vision.pid
    rig.set_camera("works")
    rig.wait_for_observation()
    assert rig.vision.fault is None
    rig.assert_same_process(first)


@pytest.mark.proves("camera-unplugged")
def test_camera_unplugged_and_plugged_in_again_is_used_again(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig("works")
    rig.wait_for_observation()
    first = rig.vision.pid
    for _ in range(2):
        rig.set_camera("absent")
        rig.wait_for_no_camera()
        rig.set_camera("works")
        rig.wait_for_observation()
    rig.assert_same_process(first)


@pytest.mark.proves("camera-blocked")
def test_process_blocked_in_read_is_replaced(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig("works")
    rig.wait_for_observation()
    first = rig.vision.pid
    rig.set_camera("blocked")
    rig.wait_for(lambda: rig.vision.state is VisionState.RESTARTING)
    assert rig.vision.fault == "camera 0 hangs"
    rig.set_camera("works")
    rig.wait_for_observation()
    assert rig.vision.pid != first


@pytest.mark.proves("camera-blocked")
def test_camera_blocked_from_the_start_is_retried(
    start_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start_rig("blocked")
    with monkeypatch.context() as short_timeout:
        short_timeout.setattr(supervisor, "START_WITHIN", 3.0)
        rig.wait_for(lambda: rig.vision.state is VisionState.RESTARTING)
    rig.set_camera("works")
    rig.wait_for_observation()


@pytest.mark.proves("camera-frozen", "camera-even-gray")
@pytest.mark.parametrize("still", ["frozen", "all gray"])
def test_frozen_camera_counts_as_disconnected_until_its_image_changes(
    start_rig: Callable[..., Rig], still: str
) -> None:
    rig = start_rig("works", VisionMode.ESTIMATE)
    rig.wait_for_observation()
    first = rig.vision.pid
    rig.set_camera(still)
    rig.wait_for_no_camera()
    assert rig.vision.fault == "camera 0 gives the same picture again and again"
    rig.set_camera("works")
    rig.wait_for_observation()
    rig.assert_same_process(first)


@pytest.mark.proves("camera-gray", "camera-odd-size")
@pytest.mark.parametrize("mode", [VisionMode.PRESENCE, VisionMode.AGE_CHECK])
@pytest.mark.parametrize("sends", ["gray", "odd"])
def test_gray_frames_and_changing_sizes_are_processed(
    start_rig: Callable[..., Rig], sends: str, mode: VisionMode
) -> None:
    rig = start_rig("works", mode)
    rig.wait_for_observation()
    first = rig.vision.pid
    before = faulty_vision.count_forgets(rig.control_file)
    rig.set_camera(sends)
    for _ in range(20):
        rig.wait_for_observation()
    rig.assert_same_process(first)
    if sends == "odd":  # tracks do not fit a frame of another size
        assert faulty_vision.count_forgets(rig.control_file) >= before + 10
    else:
        assert faulty_vision.count_forgets(rig.control_file) == before


@pytest.mark.proves("camera-corrupt")
def test_corrupt_frames_count_as_a_disconnected_camera(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig("works")
    rig.wait_for_observation()
    first = rig.vision.pid
    rig.set_camera("corrupt")
    rig.wait_for_no_camera()
    rig.set_camera("works")
    rig.wait_for_observation()
    rig.assert_same_process(first)


@pytest.mark.proves("vision-leaking")
def test_leaking_process_is_replaced_in_presence_mode(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig("works", VisionMode.ESTIMATE)
    for _ in range(20):
        rig.wait_for_observation()  # until its memory has settled
    first = rig.vision.pid
    rig.set_camera("leaking")
    for _ in range(20):
        rig.wait_for_observation()
    rig.assert_same_process(first)
    rig.vision.set_mode(VisionMode.PRESENCE)
    rig.wait_for(lambda: rig.vision.state is VisionState.RESTARTING)
    assert "MB more memory than after its start: it restarts" in (rig.vision.fault or "")
    rig.set_camera("works")
    rig.wait_for_observation()
    assert rig.vision.pid != first


@pytest.mark.proves("vision-leaking")
@pytest.mark.skipif(
    not Path("/proc/self/oom_score_adj").exists(), reason="only Linux chooses the process to kill by a score"
)
def test_kernel_kills_the_vision_process_first_when_memory_runs_out(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig("works")
    rig.wait_for_observation()
    assert Path(f"/proc/{rig.vision.pid}/oom_score_adj").read_text().strip() == "1000"


@pytest.mark.proves("engine-gone-running")
def test_removed_engine_file_matters_only_at_the_next_process_start(
    start_rig: Callable[..., Rig], tmp_path: Path
) -> None:
    engine = tmp_path / "facialnet.onnx"
    for name in ("facialnet.onnx", "facialnet.onnx.json"):
        shutil.copy(str(resources.files("kiosk.engines") / name), tmp_path / name)
    rig = start_rig("works", engine=engine)
    rig.wait_for_observation()
    hidden = engine.rename(tmp_path / "away.onnx")
    for _ in range(20):
        rig.wait_for_observation()  # the engine is loaded and no longer needs its file
    rig.set_camera("blocked")
    rig.wait_for(lambda: rig.vision.state is VisionState.RESTARTING)
    rig.set_camera("works")
    rig.wait_for(lambda: "facialnet.onnx" in (rig.vision.fault or ""))
    hidden.rename(engine)
    rig.wait_for_observation()
    assert rig.vision.fault is None
