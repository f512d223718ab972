"""A `Carry` stream through grpcio, at a server: for callers that are no links of ours, or behind a proxy."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
from tollway.link.v1 import link_pb2

from tollway_servicekit.link.http2.headers import UNAVAILABLE

if TYPE_CHECKING:
    from tollway_servicekit.link.carry import CarryReader, Piece

_BROKEN_STREAM = (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError, grpc.aio.InternalError)
"""What gRPC raises at whoever writes to a stream that has broken."""


class GrpcCarry:
    """
    Is a `carry.Carry`.

    Args:
        rpc: The call's context.
    """

    def __init__(self, rpc: grpc.aio.ServicerContext[Any, Any]) -> None:
        self.code, self.why = 0, ""
        """How the link finished."""
        self._rpc = rpc
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._link: CarryReader
        self._writing: asyncio.Task[None] | None = None

    async def feed(self, link: CarryReader) -> None:
        """Hand everything that comes to the link."""
        self._link = link
        with suppress(*_BROKEN_STREAM):
            while (message := await self._rpc.read()) is not grpc.aio.EOF:
                link.took(message.frames, 0, len(message.frames))
                await self._may_read.wait()
            link.half_closed()
            return
        link.ended(UNAVAILABLE, "the stream broke")

    def write(self, frames: list[Piece], length: int) -> bool:
        self._writing = asyncio.create_task(self._write(b"".join(frames)))
        return False

    async def _write(self, frames: bytes) -> None:
        with suppress(*_BROKEN_STREAM):  # whoever reads learns why
            await self._rpc.write(link_pb2.CarryResponse(frames=frames))
        self._link.has_room()

    def hold(self) -> None:
        self._may_read.clear()

    def go_on(self) -> None:
        self._may_read.set()

    def finish(self, code: int = 0, why: str = "") -> None:
        self.code, self.why = code, why

    def cancel(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
