"""
The hot routes: the POST endpoints of every dialect, below ASGI.

They make a `Call` of an exchange's headers and leave the rest to the pipeline.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from tollway_dialects.wires import WIRES

from tollway_edge.domain.call import Call, new_call_id, now_unix_ms
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.headers import error_headers, request_id_of

if TYPE_CHECKING:
    from tollway_dialects.dialect import Wire

    from tollway_edge.domain.pipeline import Pipeline
    from tollway_edge.entrypoints.exchange import Exchange
    from tollway_edge.entrypoints.request_head import RequestHead

log = logging.getLogger(__name__)

HOT_PATHS: dict[bytes, Wire] = {wire.path.encode(): wire for wire in WIRES.values()}
_ALLOWED = b"allow: POST, OPTIONS\r\n"


class HotRoutes:
    """Serves every path in `HOT_PATHS`."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._calls_in_flight = 0
        self._idle: asyncio.Future[None] | None = None
        """Set where somebody waits for it."""

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request, and book it."""
        self._calls_in_flight += 1
        call: Call | None = None
        try:
            call = _call_of(exchange.head)
            if exchange.head.method == b"POST":
                await self._pipeline.serve(call, exchange)
            else:
                await _answer_other_method(call, exchange)
        except Exception:
            log.exception("call %s ended with an error", call and call.query_id)
        finally:
            self._calls_in_flight -= 1
            if self._idle is not None and not self._calls_in_flight:
                self._idle.set_result(None)
                self._idle = None
            exchange.over()

    async def drained(self) -> None:
        """Return once no call is in flight: every one of them has been handed to the ledger."""
        if self._calls_in_flight:
            self._idle = self._idle or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)


def _call_of(head: RequestHead) -> Call:
    headers, wire, now = head.headers, HOT_PATHS[head.path], now_unix_ms()
    return Call(
        wire.dialect,
        wire,
        headers.key_digest,
        headers.forwarded,
        head.query,
        headers.traceparent,
        headers.conversation_id,
        call_id=new_call_id(now),
        started=time.monotonic(),
        started_unix_ms=now,
    )


async def _answer_other_method(call: Call, exchange: Exchange) -> None:
    if exchange.head.method == b"OPTIONS":
        await exchange.answer(200, _ALLOWED, b"")
        return
    kind = GatewayErrorKind.METHOD_NOT_ALLOWED
    error = GatewayError(kind, "METHOD_NOT_ALLOWED", "this path takes POST only")
    body = call.wire.error_body(kind, error.message, request_id_of(call))
    await exchange.answer(kind.status, error_headers(call, error) + _ALLOWED, body)
