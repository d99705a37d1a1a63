"""Processor time and memory of the processes of `kiosk demo`, with and without a person in view.

The demo reads a clip instead of a camera and shows it on a screen in memory (Qt's `offscreen`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench.answers import RATE
from benchmarks.bench.processes import children, command, cpu_seconds, memory
from benchmarks.bench.scenes import Passage, empty_room, tile_faces, write_video
from kiosk.common.errors import KioskError

SETTLED_AFTER = 5.0
"""Seconds from the start to the measurement, so that libraries are loaded and the window is shown."""

_SIZE = (640, 480)
_ROOM_SECONDS = 4.0
_STARTS_WITHIN = 60.0
_ENDS_WITHIN = 20.0


class RunningError(KioskError):
    """The kiosk did not start, or ended early."""


def write_room(path: Path) -> None:
    """Writes a clip of an empty room, 640×480. Raises `SceneError`."""
    write_video(path, empty_room(*_SIZE, frames=round(_ROOM_SECONDS * RATE)), RATE)


def write_person(path: Path, shown: Passage) -> None:
    """Writes a clip of one person, 640×480. Raises `SceneError`."""
    write_video(path, tile_faces(shown, *_SIZE, faces=1), RATE)


def watch(source: Path, seconds: float) -> dict[str, Any]:
    """Returns processor shares and memory of the window's and the vision process over `seconds`.

    Raises `RunningError`.
    """
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(_command(source), env=_environment(), stdout=stderr, stderr=stderr)
        try:
            vision = _vision_process(process, stderr)
            time.sleep(SETTLED_AFTER)
            pids = {"window": process.pid, "vision": vision}
            before, started = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic()
            time.sleep(seconds)
            after, took = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic() - started
            used = {name: memory(pid) for name, pid in pids.items()}
        except OSError as error:
            raise RunningError(f"kiosk demo ended while it was watched{_log_once(stderr)}") from error
        finally:
            _end(process)
    shares = {name: (after[name] - before[name]) / took for name in pids}
    return {
        "seconds": took,
        "share_of_a_core": {**shares, "both": sum(shares.values())},
        "resident_mb": {name: used[name].resident / 1e6 for name in pids},
        "proportional_mb": {
            **{name: used[name].proportional / 1e6 for name in pids},
            "both": sum(each.proportional for each in used.values()) / 1e6,
        },
    }


def window_statistics(source: Path, seconds: float) -> dict[str, Any] | str:
    """Returns the statistics of `kiosk demo --stats`, or the reason why there are none. Raises `RunningError`."""
    helped = subprocess.run([*_kiosk(), "demo", "--help"], capture_output=True, text=True, check=True)
    if "--stats" not in helped.stdout:
        return "this version's `kiosk demo` has no --stats"
    try:
        run = subprocess.run(
            [*_command(source), "--seconds", f"{seconds:g}", "--stats=json"],
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=seconds + _STARTS_WITHIN,
        )
    except subprocess.TimeoutExpired as error:
        raise RunningError(f"kiosk demo did not end after --seconds {seconds:g}") from error
    lines = run.stdout.strip().splitlines()
    if run.returncode or not lines:
        raise RunningError(f"kiosk demo --stats failed: {(run.stderr.strip().splitlines() or ['no reason'])[-1]}")
    said: dict[str, Any] = json.loads(lines[-1])
    return said


def _kiosk() -> list[str]:
    return [sys.executable, "-m", "kiosk.cli.main"]


def _command(source: Path) -> list[str]:
    return [*_kiosk(), "demo", "--source", str(source)]


def _environment() -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


def _vision_process(process: subprocess.Popen[bytes], stderr: Any) -> int:
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        for child in children(process.pid):
            if "spawn_main" in command(child):
                return child
        time.sleep(0.05)
    raise RunningError(f"kiosk demo did not start{_log_once(stderr)}")


def _log_once(stderr: Any) -> str:
    stderr.seek(0)
    lines = stderr.read().decode(errors="replace").strip().splitlines()
    return f" ({lines[-1]})" if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
