from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.vision.capture.camera import stable_name


class DeviceFolder:
    """A folder of device files and links, as udev makes them in /dev and /dev/v4l."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for kind in ("by-id", "by-path"):
            (folder / "v4l" / kind).mkdir(parents=True)

    def add_camera(self, number: int, path: str, id_: str | None) -> None:
        device = self.folder / f"video{number}"
        device.touch()
        for kind, name in (("by-path", path), ("by-id", id_)):
            if name:
                link = self.folder / "v4l" / kind / name
                link.unlink(missing_ok=True)  # as udev does: of two devices with one link name, the last has the link
                link.symlink_to(device)

    def stable_name_of(self, number: int) -> str:
        return stable_name(str(self.folder / f"video{number}"), self.folder / "v4l")


@pytest.fixture
def devices(tmp_path: Path) -> DeviceFolder:
    return DeviceFolder(tmp_path)


@pytest.mark.proves("camera-swapped")
def test_cameras_that_swap_numbers_keep_their_stable_names(devices: DeviceFolder) -> None:
    devices.add_camera(0, "usb-1", "usb-Acme_A1")
    devices.add_camera(1, "usb-2", "usb-Bolt_B2")
    names = devices.stable_name_of(0), devices.stable_name_of(1)
    assert [Path(name).name for name in names] == ["usb-Acme_A1", "usb-Bolt_B2"]
    devices.add_camera(1, "usb-1", "usb-Acme_A1")
    devices.add_camera(0, "usb-2", "usb-Bolt_B2")
    assert (devices.stable_name_of(1), devices.stable_name_of(0)) == names
    assert Path(names[0]).resolve().name == "video1"


def test_identical_cameras_are_named_by_usb_port(devices: DeviceFolder) -> None:
    devices.add_camera(0, "usb-1", "usb-Acme")
    devices.add_camera(1, "usb-2", "usb-Acme")
    assert [Path(devices.stable_name_of(number)).name for number in (0, 1)] == ["usb-1", "usb-2"]


def test_camera_without_links_keeps_its_device_path(devices: DeviceFolder, tmp_path: Path) -> None:
    assert devices.stable_name_of(7) == str(tmp_path / "video7")
    assert stable_name("/dev/video0", tmp_path / "nothing") == "/dev/video0"
