"""Serves links, on connections of their own and through grpcio, until they are told to stop. Registered by `serve`."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import grpc
from tollway.link.v1 import link_pb2

from tollway_servicekit.link.grpc_carry import GrpcCarry
from tollway_servicekit.link.http2.callee import ServingConnection
from tollway_servicekit.link.served import LEAVING_SECONDS, ServedLink

if TYPE_CHECKING:
    from tollway_servicekit.contract import Contract, Method

LINK_SERVICE = link_pb2.DESCRIPTOR.services_by_name["LinkService"].full_name
LINK_AGE_SECONDS = 600.0
"""After so long, give or take a tenth, a link drains: its caller opens another, maybe to a peer that is new."""


class LinkServicer:
    """
    Serves `tollway.link.v1.LinkService` for the methods of other contracts.

    Args:
        pairs: Each contract with the object that serves it.
        age: Seconds after which a link drains.
    """

    def __init__(self, pairs: list[tuple[Contract, object]], age: float = LINK_AGE_SECONDS) -> None:
        self._methods: dict[str, tuple[Method, Any]] = {}
        for contract, servicer in pairs:
            bound = contract.bind(servicer)
            self._methods.update((method.path, (method, bound[name])) for name, method in contract.methods.items())
        self._age = age
        self._links: set[ServedLink] = set()
        self._connections: set[ServingConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_draining = False

    def handlers(self) -> grpc.GenericRpcHandler:
        carry = grpc.stream_stream_rpc_method_handler(
            self._carry,
            request_deserializer=link_pb2.CarryRequest.FromString,
            response_serializer=link_pb2.CarryResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(LINK_SERVICE, {"Carry": carry})

    async def _carry(self, requests: object, rpc: grpc.aio.ServicerContext[Any, Any]) -> None:
        stream = GrpcCarry(rpc)
        link = ServedLink(self._methods, stream)
        feeding = asyncio.create_task(stream.feed(link))
        try:
            await self._serve(link)
        finally:
            feeding.cancel()
            stream.cancel()
        if stream.code:
            await rpc.abort(grpc.StatusCode.INVALID_ARGUMENT, stream.why)

    def connection(self) -> ServingConnection:
        """Return the protocol of a connection that is a link."""
        connection = ServingConnection(self._accept)
        self._connections.add(connection)
        connection.closed.add_done_callback(lambda _: self._connections.discard(connection))
        return connection

    def _accept(self, connection: ServingConnection) -> ServedLink:
        link = ServedLink(self._methods, connection)
        task = asyncio.create_task(self._serve_own(link, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return link

    async def _serve_own(self, link: ServedLink, connection: ServingConnection) -> None:
        await self._serve(link)
        await asyncio.wait([connection.closed], timeout=LEAVING_SECONDS)
        connection.cancel()

    async def _serve(self, link: ServedLink) -> None:
        self._links.add(link)
        age = self._age * random.uniform(0.9, 1.1)  # noqa: S311  spread, not secret
        timer = asyncio.get_running_loop().call_later(age, link.drain)
        if self._is_draining:
            link.drain()
        try:
            await link.run()
        finally:
            timer.cancel()
            self._links.discard(link)

    def drain(self) -> None:
        """Ask all callers to start no more calls here."""
        self._is_draining = True
        for link in self._links:
            link.drain()

    async def stop(self, grace: float) -> None:
        """Drain; after so many seconds, end what is left. Links through grpcio are their server's to end."""
        self.drain()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for connection in self._connections:
            connection.cancel()
        for task in self._tasks:
            task.cancel()
        left = [*self._tasks, *(connection.closed for connection in self._connections)]
        if left:
            await asyncio.wait(left)
