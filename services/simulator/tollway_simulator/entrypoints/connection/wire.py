"""How an answer looks on the wire where a script changes that: compression, small writes, another content type."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway_simulator.domain.script import Script
    from tollway_simulator.entrypoints.connection.exchange import Headers

GZIP = 31
"""zlib's window bits for gzip."""


class Dressing:
    """Changes the headers and the bytes of one answer."""

    def __init__(self, content_type: str | None, split: int | None, *, is_gzip: bool) -> None:
        self._content_type = content_type
        self._split = split
        self._gzip = zlib.compressobj(wbits=GZIP) if is_gzip else None

    def head(self, lines: bytes, length: int | None, headers: Headers) -> tuple[bytes, int | None, Headers]:
        """Return what the head says; where compression changes the length, it is left to chunks."""
        if self._content_type is not None:
            lines = b"content-type: %b\r\n" % self._content_type.encode()
        if self._gzip is None:
            return lines, length, headers
        return lines, None, ((b"content-encoding", b"gzip"), *headers)

    def pieces(self, data: bytes, *, is_last: bool) -> list[bytes]:
        """Return what to write for the data, at least one piece."""
        if self._gzip is not None:
            data = self._gzip.compress(data) + self._gzip.flush(zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH)
        if self._split is None:
            return [data]
        return [data[i : i + self._split] for i in range(0, len(data), self._split)] or [b""]


def dressing_for(script: Script, asked: Mapping[bytes, bytes]) -> Dressing | None:
    """Return the dressing that a script wants; compression only where the request's headers accept it."""
    if script.gzip is None and script.split is None and script.content_type is None:
        return None
    is_gzip = bool(script.gzip) and b"gzip" in asked.get(b"accept-encoding", b"")
    return Dressing(script.content_type, script.split, is_gzip=is_gzip)
