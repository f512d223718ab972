"""Hands the bytes of a connection to the gRPC server of the same process, and back; called by `listener`."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        ended: Set when this side has ended.
    """

    other: asyncio.Transport
    """Set before anything is read."""

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.other.write(data)

    def pause_writing(self) -> None:
        self.other.pause_reading()

    def resume_writing(self) -> None:
        self.other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()


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
    ended = asyncio.Event()
    inside, outside = Side(ended), Side(ended)
    inside.other = outer
    inner, _ = await asyncio.get_running_loop().create_unix_connection(lambda: inside, str(path))
    outside.other = inner
    try:
        outer.set_protocol(outside)
        inner.write(bytes(begin))
        if not outer.is_closing():
            outer.resume_reading()
            await ended.wait()
    finally:
        inner.close()
        outer.close()
