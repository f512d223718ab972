"""The client's headers that belong to the provider; read once for a head that its client sends again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.header_lines import to_lines

if TYPE_CHECKING:
    from collections.abc import Collection

_SHAPING = frozenset({b"anthropic-version", b"anthropic-beta", b"openai-beta"})


class Forwarded(msgspec.Struct, frozen=True):
    """Headers as `header_lines` joins them."""

    lines: bytes = b""
    shaping: bytes = b""
    """Those of them that make another question of the same body."""

    @classmethod
    def of(cls, headers: Collection[tuple[bytes, bytes]]) -> Forwarded:
        """Join names, in lower case, and values; raises ValueError where one holds a line end."""
        return cls(to_lines(headers), to_lines(header for header in headers if header[0] in _SHAPING))
