"""Who besides its owner can write a file or replace it, read from the permission bits."""

from __future__ import annotations

import grp
import os
import pwd
import stat


def anyone_can_write(state: os.stat_result) -> bool:
    """Whether every user of the system may change this file or folder."""
    return bool(state.st_mode & stat.S_IWOTH)


def anyone_can_replace_files(folder: os.stat_result) -> bool:
    """Whether every user may replace the files in this folder; in a sticky folder (`/tmp`) only their owners may."""
    return anyone_can_write(folder) and not folder.st_mode & stat.S_ISVTX


def user_name(uid: int) -> str:
    """The name of a user, or the number where the system has no name for it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The name of a group, or the number where the system has no name for it."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
