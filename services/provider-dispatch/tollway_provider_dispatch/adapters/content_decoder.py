"""
Undoes gzip and deflate as a body arrives, for `httptools_upstream`; a small body must not become a huge one here.

Nobody asks providers to compress, so this is for those that do it unasked.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP, _ZLIB, _BARE_DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_MAX_PIECE = 256 * 1024
MAX_DECODED = 64 * 1024 * 1024


class UndecodableContent(Exception):
    """The body is not what its content-encoding says, or too large."""


class ContentDecoder:
    """One body's, for one coding; raises `UndecodableContent` for a coding that is not known."""

    def __init__(self, coding: str, earlier: ContentDecoder | None = None) -> None:
        self._coding = coding.lower()
        if earlier is not None or self._coding not in {"gzip", "x-gzip", "deflate", "identity"}:
            raise UndecodableContent("the content-encoding is not one of gzip, deflate, identity")
        self._zlib: zlib._Decompress | None = None
        self._decoded = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what can be decoded now, in pieces of bounded size."""
        if self._coding == "identity":
            yield data
            return
        while data:
            if self._zlib is None or self._zlib.eof:
                self._zlib = zlib.decompressobj(self._window(data))
            try:
                piece = self._zlib.decompress(data, _MAX_PIECE)
            except zlib.error:
                raise UndecodableContent(f"the body is not {self._coding}") from None
            self._decoded += len(piece)
            if self._decoded > MAX_DECODED:
                raise UndecodableContent(f"the body has more than {MAX_DECODED} bytes when it is decoded")
            if piece:
                yield piece
            # after its end a gzip body may go on with another member
            data = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail

    def end(self) -> None:
        """Check that the body was not cut."""
        if self._zlib is not None and not self._zlib.eof:
            raise UndecodableContent(f"the {self._coding} body ends early")

    def _window(self, data: bytes) -> int:
        if self._coding != "deflate":
            return _GZIP
        return _ZLIB if data[0] & 0x0F == 8 else _BARE_DEFLATE  # some servers leave zlib's wrapper out
