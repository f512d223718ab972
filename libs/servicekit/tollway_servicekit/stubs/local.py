"""The stub that calls a servicer in the same process, with the same messages: no socket, no serialisation."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tollway_servicekit.context import CallContext
from tollway_servicekit.defects import is_asked_for, unexpected
from tollway_servicekit.errors import DeadlineExceeded, ServiceError
from tollway_servicekit.limit import Limit, StreamLimit
from tollway_servicekit.stubs.long_request import whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tollway_servicekit.context import Metadata
    from tollway_servicekit.contract import Contract, Method


def local_stub(contract: Contract, servicer: object) -> Any:
    """Return an object with one callable for each RPC; failures are `ServiceError`s."""
    bound = contract.bind(servicer)
    return SimpleNamespace(**{name: _call(method, bound[name]) for name, method in contract.methods.items()})


def _call(method: Method, serve: Any) -> Any:
    async def unary(request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
        limit = Limit(timeout)
        try:
            with limit:
                return await serve(whole(request), CallContext.read(metadata, timeout))
        except (Exception, asyncio.CancelledError) as error:
            if is_asked_for(error):
                raise
            raise _translate(method, error, limit) from error

    async def streaming(
        request: Any, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> AsyncGenerator[Any, None]:
        context = CallContext.read(metadata, timeout)
        items = serve(whole(request), context)
        limit = StreamLimit(timeout)
        try:
            while True:
                try:
                    with limit:
                        item = await anext(items)
                except StopAsyncIteration:
                    return
                except (Exception, asyncio.CancelledError) as error:
                    if is_asked_for(error):
                        raise
                    raise _translate(method, error, limit) from error
                yield item
        finally:
            limit.close()
            await items.aclose()

    return streaming if method.is_server_streaming else unary


def _translate(method: Method, error: BaseException, limit: Limit | StreamLimit) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, TimeoutError) and limit.has_expired:
        return DeadlineExceeded("DEADLINE_EXCEEDED", f"{method.name} did not answer within its deadline")
    return unexpected(method, error)
