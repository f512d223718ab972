"""
One client connection: hot routes are answered here, everything else goes on to the ASGI application.

uvicorn's protocol reads HTTP. This subclass takes requests of hot paths out of its hands before a scope is made of them
(ADR-0005 has the figures), and sets limits where uvicorn has none. A request that comes while another is answered waits
in `pipeline`: `cycle` is the newest request, `_running` the one whose turn it is.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import httptools

from tollway_edge.entrypoints.deadlines import BODY, HEAD, IDLE, WHOLE, Overdue
from tollway_edge.entrypoints.exchange import Exchange
from tollway_edge.entrypoints.head_reader import HeadReader
from tollway_edge.entrypoints.hot_routes import HOT_PATHS
from tollway_edge.entrypoints.outgoing import Outgoing
from tollway_edge.entrypoints.refusals import head_too_large, malformed_http, refusal, too_slow
from tollway_edge.entrypoints.request_head import RepeatedHead, RequestHead
from tollway_edge.entrypoints.request_headers import request_head, split_target

if TYPE_CHECKING:
    from tollway_edge.domain.errors import GatewayError
    from tollway_edge.entrypoints.deadlines import ConnectionLimits
    from tollway_edge.entrypoints.hot_routes import HotRoutes

MOST_QUEUED_BYTES = 65536  # of a request whose turn has not come


class EdgeConnection(HeadReader):
    """Made by uvicorn for every connection; `deadlines.watch` looks after the `open_connections`."""

    def __init__(
        self, routes: HotRoutes, limits: ConnectionLimits, open_connections: set[EdgeConnection], **uvicorn: Any
    ) -> None:
        super().__init__(limits, **uvicorn)
        self._routes, self._open = routes, open_connections
        self._running: Any = None
        self._repeated: RepeatedHead | None = None
        self._missing = 0
        """Of a body that the parser does not see, since its head was a repeated one."""
        self._is_over = False

    # asyncio's side

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.outgoing = Outgoing(self.loop, transport, self.flow)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self.pipeline.clear()
        running, self._running = self._running, None
        if isinstance(running, Exchange):
            running.leave()
        elif running is not None:
            self.cycle = running  # of which uvicorn tells the application
        if isinstance(self.cycle, Exchange):
            self.cycle = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return  # what follows the last request is none
        is_first = self._deadlines.phase is IDLE
        if is_first:
            known = self._repeated
            body = known.body_of(data) if known else None
            if known and body is not None and len(body) <= self.limits.max_body_bytes:
                self._begin(Exchange(self, known.head, True, is_read=True, received=len(body), parts=[body]))
                self._deadlines.phase = WHOLE  # in which nothing is due: not by `enter`, which looks at the clock
                return
            if known and self._begin_known(known, data):
                return
            self._deadlines.enter(HEAD)
        elif self._missing:
            self._feed_known(data)
            return
        if self._deadlines.phase is HEAD:
            self._deadlines.head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stay(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(self._refusal or malformed_http())
        else:
            if self._deadlines.phase is HEAD and self._deadlines.head_bytes > self.limits.max_header_bytes:
                self._refuse(head_too_large(self.limits.max_header_bytes))
            elif is_first and self._deadlines.phase is not HEAD and isinstance(self.cycle, Exchange):
                newest = self.cycle
                self._repeated = RepeatedHead.of(data, newest.head, newest.received, self.limits.max_body_bytes)

    # the parser's side

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # the parser stops after this head, and `_stay` has it read once more
        self._check_head()
        path, query = split_target(self.url)
        if path in HOT_PATHS:
            head = RequestHead.read(self.parser, path, query, self.headers)
            self._begin(Exchange(self, head, head.keep_alive))
        else:
            self._hand_on()
        self._deadlines.enter(BODY)

    def on_body(self, body: bytes) -> None:
        cycle: Any = self.cycle
        if not isinstance(cycle, Exchange):
            super().on_body(body)
            return
        cycle.feed(body)
        if cycle is not self._running and cycle.received > MOST_QUEUED_BYTES and not cycle.is_answered:
            self.flow.pause_reading()
        if cycle.is_answered and cycle.received > 2 * self.limits.max_body_bytes:
            self.transport.close()  # it was told; nobody reads on for ever

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        cycle: Any = self.cycle
        if isinstance(cycle, Exchange):
            cycle.finish()
        else:
            super().on_message_complete()
        self._deadlines.enter(IDLE if cycle.response_complete else WHOLE)

    # the exchange's side

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._running = None
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self._deadlines.since = self.loop.time()
            self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._deadlines.phase is WHOLE:
            self._deadlines.enter(IDLE)

    def check(self, now: float) -> None:
        received = self.cycle.received if isinstance(self.cycle, Exchange) else 0
        late = self._deadlines.overdue(now, self.outgoing.written, self.transport.get_write_buffer_size(), received)
        if late is Overdue.READING:
            self.transport.abort()
        elif late is Overdue.NEXT_REQUEST:
            self.transport.close()
        elif late and not self._is_over and not self.flow.read_paused:  # else it is we who do not read
            self._refuse(too_slow("head" if late is Overdue.HEAD else "body"))

    # inside

    def _begin_known(self, known: RepeatedHead, data: bytes) -> bool:
        """Begin a request whose head is a repeated one, if its body is not all here: say whether that is so."""
        length, body = known.beginning_of(data) or (0, b"")
        if not len(body) < length <= self.limits.max_body_bytes:
            return False
        self._missing = length - len(body)
        # it lies where it was read until all of it is put together; one that comes whole is taken as it is
        parts = [cast("bytes", body)] if body else []
        self._begin(Exchange(self, known.head, True, received=len(body), parts=parts))
        self._deadlines.enter(BODY)
        return True

    def _feed_known(self, data: bytes) -> None:
        body, rest = (data, b"") if len(data) <= self._missing else (data[: self._missing], data[self._missing :])
        self._missing -= len(body)
        self.on_body(body)
        if not self._missing:
            self.on_message_complete()
        if rest:
            self.data_received(rest)

    def _begin(self, exchange: Exchange) -> None:
        """Serve a request, or let it wait for its turn."""
        self.cycle = exchange  # type: ignore[assignment]
        if self._running is None:
            self._start(exchange)
        else:
            self.pipeline.appendleft((exchange, None))  # type: ignore[arg-type]
            if len(self.pipeline) >= self.limits.max_pipelined:
                self.flow.pause_reading()

    def _start(self, exchange: Exchange) -> None:
        self._running = exchange
        exchange.serving = task = asyncio.Task(self._routes.serve(exchange), loop=self.loop, name="call")
        self.tasks.add(task)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if isinstance(cycle, Exchange):
            self._start(cycle)
        else:
            self._running = cycle
            super()._start_asgi_task(cycle, app)

    def _stay(self, rest: bytes) -> None:
        """Take a request that offers another protocol as one that does not; Java's client offers HTTP/2 so."""
        if self.parser.get_method() == b"CONNECT":
            self._refuse(malformed_http())
            return
        head = request_head(self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(head + rest)

    def _refuse(self, error: GatewayError) -> None:
        """Say what is wrong where nothing else is being answered; the connection ends after what is."""
        self._is_over = True
        newest: Any = self.cycle
        if self._deadlines.phase is BODY:
            newest.keep_alive = False
            if isinstance(newest, Exchange) and not newest.is_answered:
                newest.refuse(error)
            elif self._running in {newest, None}:
                self.transport.close()
            else:
                self._running.keep_alive = False
        elif self._running is not None:
            newest.keep_alive = False
        else:
            self.outgoing.write(refusal(error, self.url if self._deadlines.phase is HEAD else b"", self.headers or ()))
            self.transport.close()
