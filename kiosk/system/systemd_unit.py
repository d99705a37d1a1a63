"""The files that start the kiosk at boot: a systemd unit, its user, udev rules, and a PAM file under X.

`cage` is a compositor that shows one application and has no shortcuts. Under it, only the kiosk can be reached, and
when one of them ends, both do. The kiosk's notifications reach systemd through `kiosk.system.notify_relay`.

The unit's limits on devices (`DeviceAllow=`) apply to its control group. A session of logind would move all processes
into another group, without these limits. So `cage` gets screen and touch panel from `seatd`, which needs no session.
Debian's X server without root's rights needs a session (pam_systemd(8)).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

NAME = "facialnet-kiosk"
UNIT = Path(f"/etc/systemd/system/{NAME}.service")
SYSUSERS = Path(f"/etc/sysusers.d/{NAME}.conf")
UDEV = Path(f"/etc/udev/rules.d/70-{NAME}.rules")
PAM = Path(f"/etc/pam.d/{NAME}")
STATE = Path("/var/lib") / NAME

_HOMES = (Path("/home"), Path("/root"))
_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # PrivateTmp= gives it others, which end with it


class Display(str, Enum):
    """How the kiosk gets the screen."""

    CAGE = "cage"
    """Wayland, in a compositor for a single application."""
    X11 = "x11"
    """An X server that runs only the kiosk."""
    EGLFS = "eglfs"
    """Qt draws directly to the screen, without a display server."""


PROGRAMS: Mapping[Display, tuple[str, ...]] = {Display.CAGE: ("cage", "Xwayland", "seatd"), Display.X11: ("xinit",)}
"""The programs that each needs; Debian's packages have the same names in lower case. The first one is started.

Debian's cage does not start without Xwayland, but does not depend on its package.
"""


@dataclass(frozen=True)
class Service:
    """The parts of a machine's service."""

    kiosk: Path
    """The absolute path of the program."""
    settings: Path
    display: Display = Display.CAGE
    user: str = "kiosk"
    wrapper: Path | None = None
    """The absolute path of `cage` or `xinit`, if the display needs one."""
    watchdog_s: int = 30
    network: bool = False
    """Whether it reports to a fleet. If not, the unit allows no network connections."""
    folders: tuple[Path, ...] = ()
    """Folders that its settings name, besides its own."""
    mount_usb: bool = False
    """Whether udev mounts USB sticks, for the journal's export."""

    def files(self) -> dict[Path, str]:
        """Returns the files' contents by path."""
        files = {UNIT: self._unit(), SYSUSERS: self._sysusers(), UDEV: _udev_rules(self.user, mount_usb=self.mount_usb)}
        return {**files, PAM: _PAM_TEXT} if self.display is Display.X11 else files

    @property
    def command(self) -> str:
        """The command of `ExecStart=`. systemd expands `%` and `$` even in quotes, so they are doubled."""
        kiosk = (str(self.kiosk), "run", "--config", str(self.settings))
        relay = (str(self.kiosk), "relay", str(self.wrapper))
        match self.display:
            case Display.CAGE:
                words: tuple[str, ...] = (*relay, "-d", "--", *kiosk)
            case Display.X11:
                words = (*relay, *kiosk, "--", ":0", "vt1", "-nolisten", "tcp", "-s", "0", "-dpms")
            case Display.EGLFS:
                words = kiosk
        return " ".join(_quoted(word) for word in words)

    @property
    def closed(self) -> tuple[Path, ...]:
        """Folders below which the service sees no files of others, or keeps none of its own."""
        return (*(() if self._is_at_home else _HOMES), *_TEMPORARY)

    @property
    def _is_at_home(self) -> bool:
        return any(self.kiosk.is_relative_to(folder) for folder in _HOMES)

    def _unit(self) -> str:
        # ProtectHome= would also close /run/user, where Wayland's socket is
        how = "ReadOnlyPaths" if self._is_at_home else "InaccessiblePaths"
        folders = " ".join(shlex.quote(str(folder).replace("%", "%%")) for folder in self.folders)
        return _UNIT_TEXT.format(
            command=self.command,
            user=self.user,
            platform=_PLATFORMS[self.display],
            seat=_SEATS[self.display].format(name=NAME),
            giver="seatd.service" if self.display is Display.CAGE else "systemd-logind.service",
            inputs=_NO_INPUT if self.display is Display.CAGE else _INPUT,
            home=f"{how}={' '.join(f'-{folder}' for folder in _HOMES)}",
            mounts=f"RequiresMountsFor={folders}\n" if folders else "",
            folders=f"ReadWritePaths={folders}\n" if folders else "",
            watchdog=self.watchdog_s,
            network=_FLEET if self.network else _NO_NETWORK,
            name=NAME,
            udev=UDEV,
        )

    def _sysusers(self) -> str:
        names = ("video", "render", "audio", "dialout", *(() if self.display is Display.CAGE else ("input",)))
        groups = "".join(f"m {self.user} {group}\n" for group in names)
        return (
            "# The kiosk's user, who may use the camera, the screen and serial ports.\n"
            f'u {self.user} - "FacialNet Kiosk" {STATE}\n{groups}'
        )


def _quoted(word: str) -> str:
    return shlex.quote(word.replace("%", "%%").replace("$", "$$"))


_PLATFORMS = {Display.CAGE: "wayland", Display.X11: "xcb", Display.EGLFS: "eglfs"}

_SEATS = {
    Display.CAGE: """\
# No session of logind: it would move the processes out of this unit and of its limits on devices.
Environment=LIBSEAT_BACKEND=seatd""",
    Display.X11: """\
# A session of logind, without which X gets no screen. It moves the processes out of this unit: DeviceAllow= and
# OOMPolicy= do not apply to them, and `journalctl -t {name}` shows their log.
PAMName={name}""",
    Display.EGLFS: "# No session: Qt opens screen and touch panel itself.",
}

_INPUT = "DeviceAllow=char-input rw"
_NO_INPUT = "# no touch panel and no keyboard: seatd opens them for cage"

_FLEET = "RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6"
_NO_NETWORK = """\
# Without a fleet it needs no network. If you configure one, run `kiosk install-service` again.
RestrictAddressFamilies=AF_UNIX AF_NETLINK"""

_UNIT_TEXT = """\
# Written by `kiosk install-service`, which overwrites it: put changes into a drop-in (`systemctl edit {name}`).
[Unit]
Description=FacialNet Kiosk
Documentation=man:systemd.service(5)
After=systemd-user-sessions.service {giver} dbus.socket plymouth-quit-wait.service
Wants={giver} dbus.socket
Conflicts=getty@tty1.service
After=getty@tty1.service
Before=graphical.target
ConditionPathExists=/dev/tty0
{mounts}# never stops trying: the machine is unattended
StartLimitIntervalSec=0

[Service]
Type=notify
# The kiosk, not a compositor around it, says that it is ready and alive; `kiosk relay` passes it on.
NotifyAccess=all
# before the kiosk, because TTYVHangup= hangs up the terminal for every command started in it
ExecStartPre=+-/bin/chvt 1
ExecStart={command}
Restart=always
RestartSec=2
# From systemd 254 on, the delay grows up to a minute; before that it stays at 2 seconds.
RestartSteps=5
RestartMaxDelaySec=60
TimeoutStartSec=180
WatchdogSec={watchdog}
# SIGTERM goes only to the kiosk, which first ends a sale. Remaining processes are killed.
KillMode=mixed
TimeoutStopSec=240
# A vision process that uses all memory is killed and replaced; the sale goes on.
OOMPolicy=continue

User={user}
{seat}
TTYPath=/dev/tty1
TTYReset=yes
TTYVHangup=yes
TTYVTDisallocate=yes
StandardInput=tty-fail
StandardOutput=journal
StandardError=journal
SyslogIdentifier={name}
UtmpIdentifier=tty1
UtmpMode=user

Environment=QT_QPA_PLATFORM={platform} PYTHONDONTWRITEBYTECODE=1
Environment=XDG_STATE_HOME=/var/lib XDG_CACHE_HOME=/var/cache XDG_RUNTIME_DIR=/run/{name}
RuntimeDirectory={name}
RuntimeDirectoryMode=0700
StateDirectory={name}
StateDirectoryMode=0700
CacheDirectory={name}
ConfigurationDirectory={name}
UMask=0077
LimitCORE=0

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
# where the journal is exported to USB sticks
ReadWritePaths=-/media -/run/media
# the backlight, in the part of /sys that ProtectKernelTunables= would close. The kiosk's user may write only the file
# that {udev} gives it
ReadWritePaths=-/sys/devices
{folders}{home}
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
{network}
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
DevicePolicy=closed
DeviceAllow=char-video4linux rw
DeviceAllow=char-drm rw
{inputs}
DeviceAllow=char-alsa rw
DeviceAllow=char-tty rw
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
DeviceAllow=char-ttyS rw
# an NVIDIA GPU, as a card or in a Jetson
DeviceAllow=char-nvidia* rw
DeviceAllow=char-nvhost* rw
DeviceAllow=char-nvmap rw
DeviceAllow=char-nvgpu* rw

[Install]
WantedBy=graphical.target
"""

_PAM_TEXT = """\
# The kiosk's session, which gives it the screen and the touch panel. Nobody logs in with it.
auth     required pam_unix.so
account  required pam_unix.so
session  required pam_unix.so
session  required pam_systemd.so
"""


def _udev_rules(user: str, *, mount_usb: bool) -> str:
    return _LIGHT.format(user=user) + (_STICKS.format(user=user) if mount_usb else "")


_LIGHT = """\
# Written by `kiosk install-service`, which overwrites it. Service mode sets the brightness of the screen.
ACTION=="add", SUBSYSTEM=="backlight", RUN+="/bin/chown {user} $sys$devpath/brightness"
"""

# See systemd-mount(1). Without fsck, which would read an unknown stick as root. Unmounted when the stick is removed.
_STICKS = (
    "# Service mode exports the journal to a stick. Nothing on it can be executed; it belongs to the kiosk's user.\n"
    'ACTION=="add", SUBSYSTEM=="block", SUBSYSTEMS=="usb", ENV{{ID_FS_TYPE}}=="vfat|exfat", '
    'RUN+="/usr/bin/systemd-mount --no-block --collect --fsck=no --owner={user} '
    '--options=nosuid,nodev,noexec,x-systemd.device-bound $devnode /media/%k"\n'
)
