"""The stub that goes over a gRPC channel."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import grpc

from tollway_servicekit.status import from_rpc_error
from tollway_servicekit.stubs.long_request import whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tollway_servicekit.context import Metadata
    from tollway_servicekit.contract import Contract, Method


def plain_stub(contract: Contract, channel: grpc.aio.Channel) -> Any:
    """Return an object with one callable for each RPC; failures are `ServiceError`s."""
    return SimpleNamespace(**{name: _call(method, channel) for name, method in contract.methods.items()})


def _call(method: Method, channel: grpc.aio.Channel) -> Any:
    make = channel.unary_stream if method.is_server_streaming else channel.unary_unary
    rpc: Any = make(
        method.path,
        request_serializer=method.request_type.SerializeToString,
        response_deserializer=method.response_type.FromString,
    )

    async def unary(request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
        try:
            return await rpc(whole(request), timeout=timeout, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def streaming(
        request: Any, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> AsyncGenerator[Any, None]:
        call = rpc(whole(request), timeout=timeout, metadata=metadata)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            call.cancel()  # changes nothing on a call that has ended

    return streaming if method.is_server_streaming else unary
