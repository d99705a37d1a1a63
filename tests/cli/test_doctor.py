"""The findings of `kiosk doctor` about a GPU and its engines, cameras and serial ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.cli import doctor
from kiosk.cli.doctor import examine
from kiosk.inference import Candidate
from kiosk.inference.tensorrt import library
from kiosk.system import port_scan
from kiosk.system.port_scan import Answer, Port
from kiosk.vision.capture import camera
from tests.fakes import fake_gpu
from tests.fakes.fake_gpu import FakeGpu

BUILD = "build one: `trainer build-engine --precision fp16`"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
    return fake_gpu.install_fake_gpu(monkeypatch)


def output_of_doctor(capsys: pytest.CaptureFixture[str]) -> str:
    assert examine(None)
    return capsys.readouterr().out


@pytest.mark.usefixtures("gpu")
def test_a_gpu_without_an_engine_gets_the_command_to_build_one(capsys: pytest.CaptureFixture[str]) -> None:
    text = output_of_doctor(capsys)
    assert "GPU: Orin (made up), compute capability 8.7, CUDA 12.6" in text
    assert "TensorRT: TensorRT 10.3.0.26" in text
    assert BUILD in text


@pytest.mark.usefixtures("gpu")
def test_an_engine_that_is_not_used_is_explained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Candidate(
        Path("engines/facialnet-fp16.engine"), compiled=True, reason_rejected="it was built by TensorRT 8"
    )
    monkeypatch.setattr("kiosk.cli.doctor.candidates", lambda: [other])
    text = output_of_doctor(capsys)
    assert "engine not used: engines/facialnet-fp16.engine: it was built by TensorRT 8" in text
    assert BUILD in text


@pytest.mark.usefixtures("gpu")
def test_no_engine_is_to_be_built_where_one_works(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitting = Candidate(Path("engines/facialnet-fp16.engine"), compiled=True, reason_rejected=None)
    monkeypatch.setattr("kiosk.cli.doctor.candidates", lambda: [fitting])
    assert "trainer build-engine" not in output_of_doctor(capsys)


@pytest.mark.usefixtures("gpu")
def test_a_gpu_without_tensorrt_gets_the_command_to_install_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "libraries", tuple)
    text = output_of_doctor(capsys)
    assert "TensorRT: not installed" in text
    assert 'pip install "facialnet-kiosk[gpu]"' in text


def test_a_camera_is_recommended_by_its_stable_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "cameras", lambda: ["/dev/video0"])
    monkeypatch.setattr(camera, "gives_frames", lambda _: True)
    monkeypatch.setattr(camera, "stable_name", lambda _: "/dev/v4l/by-id/usb-Acme_A1")
    (found,) = doctor._camera(None)
    assert found.verdict == "ok"
    assert 'camera.source = "/dev/v4l/by-id/usb-Acme_A1"' in found.advice
    monkeypatch.setattr(camera, "stable_name", lambda device: device)
    (found,) = doctor._camera(None)
    assert not found.advice


@pytest.mark.usefixtures("gpu")
def test_serial_ports_are_named_with_what_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        "/dev/one": Answer(terminal="firmware 4.0.2.0, IDLE"),
        "/dev/two": Answer(dispenser="six-spirals, protocol 1, OK"),
        "/dev/three": Answer(),
        "/dev/four": Answer(problem="Permission denied"),
    }
    monkeypatch.setattr(port_scan, "list_serial_ports", lambda: [Port(path, "made up") for path in answers])
    monkeypatch.setattr(port_scan, "identify_device", answers.__getitem__)
    text = output_of_doctor(capsys)
    assert "/dev/one (made up) is an MDB interface: firmware 4.0.2.0, IDLE" in text
    assert 'payment.port = "/dev/one"' in text
    assert "/dev/two (made up) is a dispenser: six-spirals, protocol 1, OK" in text
    assert 'dispenser.port = "/dev/two"' in text
    assert "/dev/three (made up): no known device answers" in text
    assert "/dev/four (made up) cannot be opened: Permission denied" in text
