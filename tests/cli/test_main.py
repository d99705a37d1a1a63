"""The command `kiosk`, run in a process of its own, as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.inference import check
from kiosk.inference.manifest import write
from kiosk.vision.capture.source import DEMO, open_source
from tests.fakes.fake_gpu import compiled_manifest


def kiosk(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    without_display = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    return subprocess.run(
        [sys.executable, "-m", "kiosk.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**without_display, **environment},
        check=False,
    )


def assert_one_clear_line(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode != 0
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    for word in words:
        assert word in lines[0]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three frames of the demo clip."""
    folder = tmp_path_factory.mktemp("pictures")
    for frame in open_source(DEMO).frames():
        assert frame is not None
        if frame.index % 50 == 0:
            cv2.imwrite(str(folder / f"{frame.index:04}.png"), frame.image)
    return folder


def test_help_imports_nothing_heavy() -> None:
    check = (
        "import sys; from click.testing import CliRunner; from kiosk.cli.main import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "print(sorted({'cv2', 'dlib', 'numpy', 'onnxruntime', 'PyQt6', 'pydantic'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True).stdout.strip() == "[]"


def test_headless_prints_only_json_on_standard_output() -> None:
    result = kiosk("demo", "--headless", "--unpaced", "--seconds", "1", "--source", "demo")
    assert result.returncode == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["frame"] for line in lines] == list(range(len(lines)))
    assert "frames in" in result.stderr


def test_without_a_display_the_demo_runs_headless_and_records(tmp_path: Path) -> None:
    result = kiosk("demo", "--source", "demo", "--seconds", "1", cwd=tmp_path)
    assert result.returncode == 0
    assert "no display" in result.stderr
    recording = tmp_path / "kiosk-demo.mp4"
    assert str(recording) in result.stderr
    assert cv2.VideoCapture(str(recording)).read()[0]
    assert json.loads(result.stdout.splitlines()[0])["frame"] >= 0


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m kiosk.cli.main demo --headless --source demo --seconds 20 --unpaced | head -n 1"
    result = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0
    assert "Error" not in result.stderr
    assert "Traceback" not in result.stderr


def test_estimate_prints_one_object_for_each_image(pictures: Path) -> None:
    result = kiosk("estimate", "--json", pictures)
    assert result.returncode == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["image"] for line in lines] == [str(path) for path in sorted(pictures.iterdir())]
    faces = [face for line in lines for face in line["faces"]]
    assert faces
    for face in faces:
        assert set(face) == {"track", "box", "quality", "status", "gender", "age"}
        assert sum(face["gender"]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        assert sum(face["age"]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        assert face["age"]["group"] in face["age"]["probabilities"]


def test_estimate_without_json_prints_text(pictures: Path) -> None:
    result = kiosk("estimate", *sorted(pictures.iterdir()))
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == len(list(pictures.iterdir()))
    assert "about" in result.stdout


def test_an_unreadable_image_is_reported_and_the_others_are_processed(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"not a picture")
    cv2.imwrite(str(tmp_path / "b.png"), np.full((50, 50), 100, np.uint8))
    result = kiosk("estimate", "--json", tmp_path, tmp_path / "missing.png")
    assert result.returncode == 1
    first, second, third = (json.loads(line) for line in result.stdout.splitlines())
    assert first["image"].endswith("a.jpg")
    assert "error" in first
    assert second["faces"] == []
    assert "error" in third
    assert len(result.stderr.strip().splitlines()) == 2


def test_a_problem_with_a_source_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "garbage.mp4").write_bytes(b"garbage" * 100)
    (tmp_path / "empty").mkdir()
    for source, words in (
        (tmp_path / "garbage.mp4", ("garbage.mp4", "not a readable video")),
        (tmp_path / "empty", ("holds no pictures",)),
        (tmp_path / "nothing", ("does not exist",)),
        ("97", ("camera 97", "kiosk doctor")),
    ):
        assert_one_clear_line(kiosk("demo", "--headless", "--source", source), *words)
    assert_one_clear_line(kiosk("estimate", tmp_path / "empty"), "holds no pictures")


def test_a_problem_with_an_engine_is_one_line(tmp_path: Path, pictures: Path) -> None:
    engine = tmp_path / "broken.onnx"
    for arguments in (("demo", "--headless", "--source", "demo"), ("estimate", pictures)):
        assert_one_clear_line(kiosk(*arguments, "--engine", engine), "broken.onnx", "cannot be read")
    engine.write_bytes(b"no engine")
    assert_one_clear_line(kiosk("demo", "--headless", "--engine", engine), "manifest")


@pytest.fixture
def unfit(tmp_path: Path) -> Path:
    """A valid engine that no machine can run: there is no TensorRT of that version."""
    path = tmp_path / "unfit.engine"
    path.write_bytes(b"compiled elsewhere")
    write(compiled_manifest(path.read_bytes(), version="0.0.0.1", network_sha256=check().network), path)
    return path


def test_a_valid_engine_that_cannot_run_here_is_replaced_with_one_line(unfit: Path, pictures: Path) -> None:
    result = kiosk("demo", "--headless", "--unpaced", "--seconds", "1", "--source", "demo", "--engine", unfit)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[0])["frame"] == 0
    fault, summary = result.stderr.strip().splitlines()
    assert "unfit.engine does not run here, ONNX Runtime on the CPU does: " in fault
    assert "frames in" in summary
    result = kiosk("estimate", pictures, "--engine", unfit)
    assert result.returncode == 0
    assert len(result.stderr.strip().splitlines()) == 1
    result = kiosk("doctor", "--engine", unfit)
    assert result.returncode == 0
    assert "unfit.engine does not run here" in result.stdout


def test_a_window_replaces_such_an_engine_too(unfit: Path) -> None:
    result = kiosk("demo", "--source", "demo", "--seconds", "3", "--engine", unfit, QT_QPA_PLATFORM="offscreen")
    assert result.returncode == 0
    (fault,) = result.stderr.strip().splitlines()
    assert "unfit.engine does not run here" in fault


def test_a_damaged_engine_is_refused_and_not_replaced(unfit: Path) -> None:
    unfit.write_bytes(b"compiled elsewherf")
    result = kiosk("demo", "--headless", "--source", "demo", "--engine", unfit)
    assert_one_clear_line(result, "its SHA-256 differs")
    assert result.stdout == ""


def test_a_window_reports_a_missing_source(tmp_path: Path) -> None:
    result = kiosk("demo", "--source", tmp_path / "nothing.mp4", QT_QPA_PLATFORM="offscreen")
    assert_one_clear_line(result, "nothing.mp4", "does not exist")


def test_a_window_opens_runs_and_closes() -> None:
    result = kiosk("demo", "--source", "demo", "--seconds", "3", QT_QPA_PLATFORM="offscreen")
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""


def test_a_window_prints_its_statistics_at_the_end() -> None:
    result = kiosk("demo", "--source", "demo", "--seconds", "4", "--stats=json", QT_QPA_PLATFORM="offscreen")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["launch_to_first_picture_s"] > 0
    assert report["paints"] > 1
    assert set(report["processes"]) == {"window", "vision"}


def test_statistics_are_refused_without_a_window() -> None:
    result = kiosk("demo", "--headless", "--stats")
    assert result.returncode == 2
    assert "--headless has none" in result.stderr
    assert_one_clear_line(kiosk("demo", "--source", "demo", "--stats"), "no display", "--stats")


@pytest.mark.parametrize("option", [["--unpaced"], ["--loop"], ["--record", "x.mp4"]])
def test_options_of_the_headless_demo_are_refused_with_a_window(option: list[str]) -> None:
    result = kiosk("demo", *option)
    assert result.returncode == 2
    assert "goes with --headless" in result.stderr


def test_broken_settings_are_reported_in_one_line(tmp_path: Path) -> None:
    settings = tmp_path / "kiosk.toml"
    settings.write_text("[camera]\nwidht = 640\n")
    assert_one_clear_line(kiosk("demo", "--headless", "--config", settings), "camera.widht")


def test_the_doctor_checks_everything() -> None:
    result = kiosk("doctor")
    for subject in ("Python", "camera", "display", "landmarks", "engine", "accuracy", "GPU"):
        assert subject in result.stdout
    assert result.returncode == 0


def test_the_doctor_finds_a_broken_engine(tmp_path: Path) -> None:
    result = kiosk("doctor", "--engine", tmp_path / "none.onnx")
    assert result.returncode == 1
    assert "none.onnx" in result.stdout
