"""What a camera can do to the vision process, for real: a process whose camera is told what to do while it runs."""

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

PATIENCE = 60.0  # a busy machine loads libraries slowly; nothing is timed here


@dataclass
class Rig:
    vision: VisionProcess
    says: Path

    def camera(self, does: str) -> None:
        """What it does from now on. The file is replaced, so that nobody reads half of it."""
        new = self.says.with_suffix(".new")
        new.write_text(does, encoding="ascii")
        new.replace(self.says)

    def wait_for(self, condition: Callable[[], bool], seen: bool | None = None) -> None:
        """Polls until the condition holds; `seen` asks for observations, or for none, in the same call."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            came = bool(self.vision.poll())
            if condition() and seen in (None, came):
                return
            time.sleep(0.01)
        pytest.fail(f"it did not come about: {self.vision.state}, {self.vision.fault}")

    def sees(self) -> None:
        self.wait_for(lambda: self.vision.state is VisionState.RUNNING, seen=True)

    def is_without_camera(self) -> None:
        self.wait_for(lambda: self.vision.state is VisionState.NO_CAMERA)

    def goes_on_with(self, pid: int | None) -> None:
        """The process is the one that it was: nothing had to be replaced."""
        assert self.vision.pid == pid


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Rig]]:
    monkeypatch.setattr(supervisor, "work", faulty_vision.work)
    monkeypatch.setenv(faulty_vision.SAYS, str(tmp_path / "camera"))
    running: list[VisionProcess] = []

    def start(does: str, mode: VisionMode = VisionMode.PRESENCE, engine: Path | None = None) -> Rig:
        vision = VisionProcess(VisionSettings("0", wait_for_device=True, engine=engine), mode)
        running.append(vision)
        rig = Rig(vision, tmp_path / "camera")
        rig.camera(does)
        vision.start()
        return rig

    yield start
    for vision in running:
        vision.stop()


@pytest.mark.proves("camera-absent")
def test_absent_at_boot_it_is_looked_for_and_seen_once_it_is_plugged_in(rig: Callable[..., Rig]) -> None:
    machine = rig("absent")
    machine.is_without_camera()
    assert machine.vision.fault == "camera 0 gives no picture"
    first = machine.vision.pid
    machine.camera("works")
    machine.sees()
    assert machine.vision.fault is None
    machine.goes_on_with(first)


@pytest.mark.proves("camera-unplugged")
def test_unplugged_and_plugged_in_again(rig: Callable[..., Rig]) -> None:
    machine = rig("works")
    machine.sees()
    first = machine.vision.pid
    for _ in range(2):
        machine.camera("absent")
        machine.is_without_camera()
        machine.camera("works")
        machine.sees()
    machine.goes_on_with(first)


@pytest.mark.proves("camera-blocked")
def test_blocked_in_read_its_process_is_replaced(rig: Callable[..., Rig]) -> None:
    machine = rig("works")
    machine.sees()
    first = machine.vision.pid
    machine.camera("blocked")
    machine.wait_for(lambda: machine.vision.state is VisionState.RESTARTING)
    assert machine.vision.fault == "camera 0 hangs"
    machine.camera("works")
    machine.sees()
    assert machine.vision.pid != first


@pytest.mark.proves("camera-blocked")
def test_blocked_from_the_start_it_is_tried_again(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    machine = rig("blocked")
    with monkeypatch.context() as impatient:
        impatient.setattr(supervisor, "START_WITHIN", 3.0)
        machine.wait_for(lambda: machine.vision.state is VisionState.RESTARTING)
    machine.camera("works")
    machine.sees()


@pytest.mark.proves("camera-frozen", "camera-even-gray")
@pytest.mark.parametrize("still", ["frozen", "all gray"])
def test_frozen_it_counts_as_gone_and_is_opened_again_until_it_moves(rig: Callable[..., Rig], still: str) -> None:
    machine = rig("works", VisionMode.ESTIMATE)
    machine.sees()
    first = machine.vision.pid
    machine.camera(still)
    machine.is_without_camera()
    assert machine.vision.fault == "camera 0 gives the same picture again and again"
    machine.camera("works")
    machine.sees()
    machine.goes_on_with(first)


@pytest.mark.proves("camera-gray", "camera-odd-size")
@pytest.mark.parametrize("mode", [VisionMode.PRESENCE, VisionMode.AGE_CHECK])
@pytest.mark.parametrize("sends", ["gray", "odd"])
def test_gray_and_odd_sized_frames_and_sizes_that_change_are_seen(
    rig: Callable[..., Rig], sends: str, mode: VisionMode
) -> None:
    machine = rig("works", mode)
    machine.sees()
    first = machine.vision.pid
    before = faulty_vision.forgotten(machine.announcement)
    machine.camera(sends)
    for _ in range(20):
        machine.sees()
    machine.goes_on_with(first)
    if sends == "odd":  # people in a frame of another size
        assert faulty_vision.forgotten(machine.announcement) >= before + 10
    else:
        assert faulty_vision.forgotten(machine.announcement) == before


@pytest.mark.proves("camera-corrupt")
def test_corrupt_frames_count_as_a_camera_that_is_away(rig: Callable[..., Rig]) -> None:
    machine = rig("works")
    machine.sees()
    first = machine.vision.pid
    machine.camera("corrupt")
    machine.is_without_camera()
    machine.camera("works")
    machine.sees()
    machine.goes_on_with(first)


@pytest.mark.proves("vision-leaking")
def test_a_process_that_leaks_is_replaced_while_nobody_is_looked_at(rig: Callable[..., Rig]) -> None:
    machine = rig("works", VisionMode.ESTIMATE)
    for _ in range(20):
        machine.sees()  # until it has settled
    first = machine.vision.pid
    machine.camera("leaking")
    for _ in range(20):
        machine.sees()
    machine.goes_on_with(first)
    machine.vision.set_mode(VisionMode.PRESENCE)
    machine.wait_for(lambda: machine.vision.state is VisionState.RESTARTING)
    assert "MB more than when it began" in (machine.vision.fault or "")
    machine.camera("works")
    machine.sees()
    assert machine.vision.pid != first


@pytest.mark.proves("vision-leaking")
@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="only Linux chooses whom to kill by a score")
def test_of_all_processes_vision_is_killed_first_when_memory_runs_out(rig: Callable[..., Rig]) -> None:
    machine = rig("works")
    machine.sees()
    assert Path(f"/proc/{machine.vision.pid}/oom_score_adj").read_text().strip() == "1000"


@pytest.mark.proves("engine-gone-running")
def test_an_engine_that_vanishes_is_missed_at_the_next_start_of_the_process_and_found_again(
    rig: Callable[..., Rig], tmp_path: Path
) -> None:
    engine = tmp_path / "facialnet.onnx"
    for name in ("facialnet.onnx", "facialnet.onnx.json"):
        shutil.copy(str(resources.files("kiosk.engines") / name), tmp_path / name)
    machine = rig("works", engine=engine)
    machine.sees()
    hidden = engine.rename(tmp_path / "away.onnx")
    for _ in range(20):
        machine.sees()  # the engine is loaded: nobody needs its file
    machine.camera("blocked")
    machine.wait_for(lambda: machine.vision.state is VisionState.RESTARTING)
    machine.camera("works")
    machine.wait_for(lambda: "facialnet.onnx" in (machine.vision.fault or ""))
    hidden.rename(engine)
    machine.sees()
    assert machine.vision.fault is None
