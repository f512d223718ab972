"""The stub that goes over links, and plainly to a peer that has none."""

from __future__ import annotations

import time
from contextlib import aclosing
from math import ceil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from tollway_servicekit.errors import DeadlineExceeded, InternalError, ServiceError
from tollway_servicekit.limit import Limit
from tollway_servicekit.link.frames import LONG_BYTES
from tollway_servicekit.link.pending import PendingAnswer, PendingItems
from tollway_servicekit.stubs.long_request import LongRequest, whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tollway_servicekit.context import Metadata
    from tollway_servicekit.contract import Contract, Method
    from tollway_servicekit.link.peer import Peer
    from tollway_servicekit.link.peers import Links


def link_stub(contract: Contract, links: Links) -> Any:
    """Return an object with one callable for each RPC; failures are `ServiceError`s."""
    return SimpleNamespace(**{name: _call(contract, method, links) for name, method in contract.methods.items()})


def _call(contract: Contract, method: Method, links: Links) -> Any:
    serialize, parse = method.request_type.SerializeToString, method.response_type.FromString
    name, path = method.name, method.path

    async def unary(request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
        data, tail = (request.begun(), request.field) if type(request) is LongRequest else (serialize(request), b"")
        if (peer := links.ready()) is None:
            peer, timeout = await _wait(links, name, timeout)
        is_long = len(data) + len(tail) > LONG_BYTES
        if (link := peer.link) is None or (is_long and not link.takes_parts):
            with peer.plainly(contract, name) as rpc:
                return await rpc(whole(request), timeout=timeout, metadata=metadata)
        call = PendingAnswer(link.loop.create_future(), name=name, timeout=timeout)
        try:
            if is_long:
                await link.start_in_parts(call, path, metadata, data, tail)
            else:
                link.start(call, path, metadata, data + tail)
            answer = await call.future
        finally:
            link.leave(call)
        if isinstance(answer, ServiceError):
            raise answer
        try:
            return parse(answer)
        except DecodeError as error:
            raise _unreadable(name) from error

    async def streaming(
        request: Any, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> AsyncGenerator[Any, None]:
        data, tail = (request.begun(), request.field) if type(request) is LongRequest else (serialize(request), b"")
        if (peer := links.ready()) is None:
            peer, timeout = await _wait(links, name, timeout)
        is_long = len(data) + len(tail) > LONG_BYTES
        if (link := peer.link) is None or (is_long and not link.takes_parts):
            with peer.plainly(contract, name) as rpc:
                async with aclosing(rpc(whole(request), timeout=timeout, metadata=metadata)) as items:
                    async for item in items:
                        yield item
            return
        call = PendingItems(link.loop, name=name, timeout=timeout)
        try:
            if is_long:
                await link.start_in_parts(call, path, metadata, data, tail)
            else:
                link.start(call, path, metadata, data + tail)
            while (item := await call.next()) is not None:
                link.credit(call, item)
                try:
                    parsed = parse(item)
                except DecodeError as error:
                    raise _unreadable(name) from error
                yield parsed
        finally:
            link.leave(call)

    return streaming if method.is_server_streaming else unary


def _unreadable(name: str) -> InternalError:
    return InternalError("INTERNAL", f"what {name} was answered is no message of its contract")


async def _wait(links: Links, name: str, timeout: float | None) -> tuple[Peer, float | None]:
    """Return a peer that the call may be started on now, and what is left of its time."""
    if timeout is None:
        return await links.wait(), None
    start = time.monotonic()
    try:
        with Limit(timeout):
            peer = await links.wait()
    except TimeoutError:
        raise DeadlineExceeded("DEADLINE_EXCEEDED", f"{name} found no peer within its deadline") from None
    return peer, min(timeout, _rounded(timeout - (time.monotonic() - start)))


def _rounded(seconds: float) -> float:
    """Return one of few times: what goes before a request is kept by its time, and thousands may have waited."""
    steps = 10 if seconds > 1 else 1000
    return max(1, ceil(seconds * steps)) / steps
