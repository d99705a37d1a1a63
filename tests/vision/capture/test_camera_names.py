from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.vision.capture.camera import stable_name


class Machine:
    """With cameras: where each is plugged in, and what it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for kind in ("by-id", "by-path"):
            (folder / "v4l" / kind).mkdir(parents=True)

    def has(self, number: int, path: str, id_: str | None) -> None:
        device = self.folder / f"video{number}"
        device.touch()
        for kind, name in (("by-path", path), ("by-id", id_)):
            if name:
                link = self.folder / "v4l" / kind / name
                link.unlink(missing_ok=True)  # as udev does: of two of the same name the last has the link
                link.symlink_to(device)

    def name(self, number: int) -> str:
        return stable_name(str(self.folder / f"video{number}"), self.folder / "v4l")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.proves("camera-swapped")
def test_two_cameras_that_swap_their_numbers_keep_their_names(machine: Machine) -> None:
    machine.has(0, "usb-1", "usb-Acme_A1")
    machine.has(1, "usb-2", "usb-Bolt_B2")
    names = machine.name(0), machine.name(1)
    assert [Path(name).name for name in names] == ["usb-Acme_A1", "usb-Bolt_B2"]
    machine.has(1, "usb-1", "usb-Acme_A1")
    machine.has(0, "usb-2", "usb-Bolt_B2")
    assert (machine.name(1), machine.name(0)) == names
    assert Path(names[0]).resolve().name == "video1"


def test_two_cameras_of_one_name_are_told_by_their_sockets(machine: Machine) -> None:
    machine.has(0, "usb-1", "usb-Acme")
    machine.has(1, "usb-2", "usb-Acme")
    assert [Path(machine.name(number)).name for number in (0, 1)] == ["usb-1", "usb-2"]


def test_a_camera_without_links_keeps_its_own_name(machine: Machine, tmp_path: Path) -> None:
    assert machine.name(7) == str(tmp_path / "video7")
    assert stable_name("/dev/video0", tmp_path / "nothing") == "/dev/video0"
