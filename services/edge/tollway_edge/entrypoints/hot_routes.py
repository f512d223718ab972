"""
The hot routes, in pure ASGI: POST /v1/messages and POST /v1/chat/completions.

They make a `Call` of the headers, an `Exchange` of the connection, and leave the rest to the pipeline.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tollway_dialects.wires import WIRES

from tollway_edge.domain.call import Call
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.headers import error_headers, request_id_of
from tollway_edge.entrypoints.exchange import Exchange
from tollway_edge.entrypoints.request_headers import RequestHeaders

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tollway_dialects.dialect import Dialect

    from tollway_edge.domain.pipeline import Pipeline
    from tollway_edge.entrypoints.exchange import Receive, Send

HOT_PATHS: dict[str, Dialect] = {wire.path: dialect for dialect, wire in WIRES.items()}


class ChatRoutes:
    """Serves every path in `HOT_PATHS`."""

    def __init__(self, pipeline: Pipeline, max_body_bytes: int) -> None:
        self._pipeline = pipeline
        self._max_body_bytes = max_body_bytes
        self._calls_in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = RequestHeaders.read(scope["headers"])
        call = Call(
            dialect=HOT_PATHS[scope["path"]],
            credential=headers.credential,
            forwarded=headers.forwarded,
            query=scope["query_string"].decode("latin-1"),
            traceparent=headers.traceparent,
            conversation_id=headers.conversation_id,
        )
        exchange = Exchange(receive, send, self._max_body_bytes, headers.content_length)
        if scope["method"] != "POST":
            return await _refuse_method(call, exchange)
        self._calls_in_flight += 1
        self._idle.clear()
        try:
            await self._pipeline.serve(call, exchange)
        except asyncio.CancelledError:
            if not exchange.has_left:
                raise
        finally:
            exchange.stop_watching()
            self._calls_in_flight -= 1
            if not self._calls_in_flight:
                self._idle.set()

    async def drained(self) -> None:
        """Return once no call is in flight: every one of them has been handed to the ledger."""
        await self._idle.wait()


async def _refuse_method(call: Call, exchange: Exchange) -> None:
    kind = GatewayErrorKind.METHOD_NOT_ALLOWED
    error = GatewayError(kind, "METHOD_NOT_ALLOWED", "this path takes POST only")
    headers = [*error_headers(call, error), (b"allow", b"POST")]
    await exchange.send_whole(kind.status, headers, call.wire.error_body(kind, error.message, request_id_of(call)))
