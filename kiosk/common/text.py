"""Text that may come from a device, a file or the network, made safe to print."""

from __future__ import annotations


def escape_unprintable(text: str, keep: str = "") -> str:
    """Returns the text with each control character, except those in `keep`, as an escape such as `x1b` behind a backslash.

    A control character could start another line or send a command to the terminal.
    """
    return "".join(
        letter if letter.isprintable() or letter in keep else letter.encode("unicode_escape").decode()
        for letter in text
    )
