"""What udev does for the kiosk (udev(7)): the screen's light is its user's to set, and sticks are mounted for it.

A file in /sys has an owner of its own, which `OWNER=` does not reach: that is of the device's file in /dev.
"""

from __future__ import annotations


def text(user: str, *, sticks: bool) -> str:
    """The file of rules of the service that runs as `user`."""
    return _LIGHT.format(user=user) + (_STICKS.format(user=user) if sticks else "")


_LIGHT = """\
# Made by `kiosk install-service`, which writes it anew. Service mode sets how bright the screen is.
ACTION=="add", SUBSYSTEM=="backlight", RUN+="/bin/chown {user} $sys$devpath/brightness"
"""

# As systemd-mount(1) has it. Without fsck, which would read a stranger's stick as root; and gone with the stick.
_STICKS = (
    "# Service mode exports the journal to a stick. Nothing on it can run, and it is the kiosk's user's.\n"
    'ACTION=="add", SUBSYSTEM=="block", SUBSYSTEMS=="usb", ENV{{ID_FS_TYPE}}=="vfat|exfat", '
    'RUN+="/usr/bin/systemd-mount --no-block --collect --fsck=no --owner={user} '
    '--options=nosuid,nodev,noexec,x-systemd.device-bound $devnode /media/%k"\n'
)
