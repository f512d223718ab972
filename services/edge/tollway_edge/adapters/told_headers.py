"""
A provider's headers as provider-dispatch tells them in a message; used by those of its clients that read messages.

In one process they come from the HTTP client itself, which lets nothing else through.
"""

from __future__ import annotations

from tollway_dialects.header_lines import HARMLESS, from_lines, to_lines

_OURS = b"x-gateway-"


def told_headers(lines: bytes) -> bytes:
    """Return the provider's headers less those that a client must not get from it."""
    ends = 2 * lines.count(b"\r\n")
    # `find`, since `in` takes bytes for a number first, and makes an error of that
    is_sound = len(lines.translate(None, HARMLESS)) == ends and lines.find(b"\r\n\r\n") < 0 and lines[:1] != b"\r"
    if not is_sound or lines.find(_OURS) >= 0 or (lines and lines[-1:] != b"\n"):
        return to_lines(header for header in from_lines(lines) if _may_be_told(*header))
    return lines


def _may_be_told(name: bytes, value: bytes) -> bool:
    return name != b"" and not name.startswith(_OURS) and not (name + value).translate(None, HARMLESS)
