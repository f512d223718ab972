"""
Stubs: how one service calls another. Three kinds behind one interface, chosen by `bootstrap` or a topology.

A stub has one attribute for each RPC of its contract, called like any gRPC stub:

    answer = await stub.LookupAnswer(request, timeout=0.25, metadata=call_metadata("default"))
    async with responses(stub.StreamChat(request, timeout=600)) as stream:
        async for item in stream: ...

`plain_stub` goes over a gRPC channel, `link_stub` over links that carry many calls at once, and `local_stub` calls the
servicer in this process without serialising.
Deadlines, cancellation, metadata, streams and errors behave the same; tests/contract holds both to that.
Types for callers: the generated `<Service>AsyncStub`.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tollway_servicekit.stubs.link import link_stub
from tollway_servicekit.stubs.local import local_stub
from tollway_servicekit.stubs.long_request import LongRequest
from tollway_servicekit.stubs.plain import plain_stub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import grpc

__all__ = ["LongRequest", "link_stub", "local_stub", "plain_stub", "responses"]

Response = TypeVar("Response")


def responses(
    call: grpc.aio.UnaryStreamCall[Any, Response],
) -> AbstractAsyncContextManager[AsyncGenerator[Response, None]]:
    """Responses of a server-streaming call; leaving the block early cancels it on both sides."""
    return aclosing(cast("AsyncGenerator[Response, None]", call))
