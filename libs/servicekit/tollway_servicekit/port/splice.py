"""Hands the bytes of a connection to the gRPC server of the same process, and back; called by `listener`."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_BYTES_SECONDS = 10.0
"""What one side gets to read what the other one wrote before it ended."""


@contextmanager
def private_socket() -> Iterator[Path]:
    """
    Yield the path of a Unix socket in a folder that only this user enters.

    Raises:
        OSError: There is no folder for temporary files.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="tollway-", ignore_cleanup_errors=True)
    except OSError as error:
        raise OSError(f"a folder for temporary files is needed, TMPDIR or /tmp: {error}") from error
    with folder as name:
        yield Path(name) / "grpc"


class Side(asyncio.Protocol):
    """
    Reads one side and writes to the other; who writes slowly holds up who reads.

    Args:
        other: The other side.
    """

    def __init__(self, other: asyncio.Transport) -> None:
        self.other = other
        self.lost = asyncio.get_running_loop().create_future()
        """Done when this side has ended."""

    def data_received(self, data: bytes) -> None:
        if not self.other.is_closing():  # it may have ended a moment before this side does
            self.other.write(data)

    def pause_writing(self) -> None:
        if not self.other.is_closing():
            self.other.pause_reading()

    def resume_writing(self) -> None:
        if not self.other.is_closing():
            self.other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)


async def splice(outer: asyncio.Transport, begin: bytearray, path: Path) -> None:
    """
    Let bytes flow until either side ends, which ends the other one.

    Args:
        outer: One side, paused.
        begin: What has been read of it already.
        path: Where the other side listens.

    Raises:
        OSError: Nobody listens there.
    """
    inside = Side(outer)
    inner, _ = await asyncio.get_running_loop().create_unix_connection(lambda: inside, str(path))
    if outer.is_closing():
        inner.abort()
        await inside.lost
        return
    outside = Side(inner)
    sides = (inside.lost, outside.lost)
    try:
        outer.set_protocol(outside)
        inner.write(bytes(begin))
        outer.resume_reading()
        await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        inner.close()
        outer.close()
        await asyncio.wait(sides, timeout=LAST_BYTES_SECONDS)
    finally:
        # not what is lost already: asyncio's TLS transports of early 3.11 fail then
        if not inside.lost.done():
            inner.abort()
        if not outside.lost.done():
            outer.abort()
        await asyncio.wait(sides)
