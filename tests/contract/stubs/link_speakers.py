"""Both ends of a link as any program might speak them: they send what a test tells them to, frame by frame."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from tollway.link.v1 import link_pb2
from tollway_servicekit.channel import CHANNEL_OPTIONS
from tollway_servicekit.link.frames import CALL, OPEN, frame, read_frames

CARRY = "/tollway.link.v1.LinkService/Carry"


class SilentPeer:
    """Speaks links as a test tells it to."""

    def __init__(self, script: Any) -> None:
        self._script = script
        self.links = 0
        self._server = grpc.aio.server(options=CHANNEL_OPTIONS)
        handler = grpc.stream_stream_rpc_method_handler(
            self._carry,
            request_deserializer=link_pb2.CarryRequest.FromString,
            response_serializer=link_pb2.CarryResponse.SerializeToString,
        )
        service = grpc.method_handlers_generic_handler("tollway.link.v1.LinkService", {"Carry": handler})
        self._server.add_generic_rpc_handlers((service,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    async def __aenter__(self) -> SilentPeer:
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(0)

    async def _carry(self, requests: Any, rpc: Any) -> None:
        self.links += 1
        await rpc.write(link_pb2.CarryResponse(frames=frame(0, OPEN)))
        async for message in requests:
            for number, kind, _ in read_frames(message.frames):
                if kind == CALL and (answer := self._script(number)):
                    await rpc.write(link_pb2.CarryResponse(frames=answer))


class Caller:
    """A link as any program might use it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stream: Any = channel.stream_stream(
            CARRY,
            request_serializer=link_pb2.CarryRequest.SerializeToString,
            response_deserializer=link_pb2.CarryResponse.FromString,
        )()
        self._frames: list[tuple[int, int, bytes]] = []

    async def send(self, data: bytes) -> None:
        await self.stream.write(link_pb2.CarryRequest(frames=data))

    async def frame(self) -> tuple[int, int, bytes]:
        """Return the next frame, OPEN aside."""
        async with asyncio.timeout(5):
            while not self._frames:
                message = await self.stream.read()
                self._frames = [each for each in read_frames(message.frames) if each[1] != OPEN]
        return self._frames.pop(0)
