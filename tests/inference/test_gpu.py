"""The GPU, as a made-up driver tells of it."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from kiosk.inference import gpu
from kiosk.inference.base import DriverError
from kiosk.inference.gpu import CudaDevice

NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE
MAJOR, MINOR = 75, 76


class Driver:
    """libcuda with one Jetson, as far as it is asked. Every answer is written to where the caller says."""

    def __init__(self, *, gpus: int = 1, failing: str = "") -> None:
        self._gpus = gpus
        self._failing = failing

    def __getattribute__(self, name: str) -> Any:
        function = object.__getattribute__(self, name)
        return (lambda *_: NO_DEVICE) if name == object.__getattribute__(self, "_failing") else function

    def cuInit(self, flags: int) -> int:  # noqa: N802 – as the driver's own, like all below
        assert flags == 0
        return 0

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        count._obj.value = self._gpus
        return 0

    def cuDriverGetVersion(self, version: Any) -> int:  # noqa: N802
        version._obj.value = 12060
        return 0

    def cuDeviceGet(self, device: Any, index: int) -> int:  # noqa: N802
        assert index == 0
        device._obj.value = 7
        return 0

    def cuDeviceGetName(self, name: Any, length: int, device: Any) -> int:  # noqa: N802
        assert (length, device.value) == (len(name), 7)
        name.value = "Orin µ".encode()[:-1]  # cut short, as a long name is
        return 0

    def cuDeviceGetAttribute(self, answer: Any, attribute: int, device: Any) -> int:  # noqa: N802
        assert device.value == 7
        answer._obj.value = {MAJOR: 8, MINOR: 7}[attribute]
        return 0


def drive(monkeypatch: pytest.MonkeyPatch, driver: Driver) -> None:
    monkeypatch.setattr(ctypes, "CDLL", {"libcuda.so.1": driver}.__getitem__)


def test_the_first_gpu_is_told_with_its_generation_and_the_drivers_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    drive(monkeypatch, Driver())
    expected = CudaDevice(name="Orin \N{REPLACEMENT CHARACTER}", capability="8.7", cuda="12.6")
    assert gpu.find() == gpu.find_or_none() == expected


@pytest.mark.parametrize(
    "function", ["cuInit", "cuDeviceGetCount", "cuDriverGetVersion", "cuDeviceGet", "cuDeviceGetName"]
)
def test_what_the_driver_refuses_is_said_with_its_number(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    drive(monkeypatch, Driver(failing=function))
    with pytest.raises(DriverError, match=rf"gives no GPU \({function}: error 100\): `nvidia-smi` may say why"):
        gpu.find()
    assert gpu.find_or_none() is None


def test_a_driver_without_a_gpu_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    drive(monkeypatch, Driver(gpus=0))
    with pytest.raises(DriverError, match="the NVIDIA driver finds no GPU"):
        gpu.find()


def test_no_driver_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_DRIVER", "libnothing-of-the-kind.so.1")
    with pytest.raises(DriverError, match="this machine has no NVIDIA driver"):
        gpu.find()
    assert gpu.find_or_none() is None


@pytest.mark.gpu
def test_pycuda_says_the_same_of_the_real_gpu() -> None:
    import pycuda.driver as cuda

    cuda.init()
    device, version = cuda.Device(0), cuda.get_driver_version()
    assert gpu.find() == CudaDevice(
        name=device.name(),
        capability="{}.{}".format(*device.compute_capability()),
        cuda=f"{version // 1000}.{version % 1000 // 10}",
    )
