"""Text that may come from a device, a file or the network, made safe to print."""

from __future__ import annotations


def escape_unprintable(text: str, keep: str = "") -> str:
    """Returns the text with escapes in place of control characters, except those in `keep`.

    A control character could start another line or send a command to the terminal.
    """
    return "".join(
        letter if letter.isprintable() or letter in keep else letter.encode("unicode_escape").decode()
        for letter in text
    )
