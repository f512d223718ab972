"""The control API under `/_simulator`: post scripts, read and await the log; for tests, bench and demo."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from tollway_simulator.domain.log import tally
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.script_queue import Order, Selection
from tollway_simulator.entrypoints.bodies import decode_body, explain_plainly

if TYPE_CHECKING:
    from tollway_simulator.domain.log import Entry, Log
    from tollway_simulator.domain.script_queue import ScriptQueue
    from tollway_simulator.entrypoints.connection.exchange import Exchange

T = TypeVar("T")


class LogQuery(msgspec.Struct, forbid_unknown_fields=True):
    """What of the log is asked for, from the query string."""

    since: int = 0
    disconnected: bool = False
    finished: bool = False
    timeout: float = 5.0
    face: str | None = None
    model: str | None = None
    key: str | None = None

    def fits(self, entry: Entry) -> bool:
        wanted = ((self.face, entry.face), (self.model, entry.model), (self.key, entry.key_fingerprint))
        if not all(mine in (None, theirs) for mine, theirs in wanted):
            return False
        if self.disconnected and entry.disconnected_at is None:
            return False
        return not self.finished or entry.finished_at is not None


_orders = msgspec.json.Decoder(Order)


class Control:
    """Answers the control API's requests."""

    def __init__(self, log: Log, queue: ScriptQueue) -> None:
        self._log = log
        self._queue = queue

    async def serve(self, exchange: Exchange) -> None:
        try:
            status, answer = await self._answer(exchange)
        except Refusal as refusal:
            status, answer = refusal.status, {"error": {"message": refusal.message, "param": refusal.param}}
        await exchange.respond(status, msgspec.json.encode(answer))

    async def _answer(self, exchange: Exchange) -> tuple[int, Any]:
        match exchange.method, exchange.path.removeprefix("/_simulator"):
            case "POST", "/script":
                self._queue.add(decode_body(_orders, await exchange.read_body(), explain_plainly))
                return 200, {"pending": self._queue.pending()}
            case "GET", "/script":
                return 200, {"pending": self._queue.pending()}
            case "DELETE", "/script":
                self._queue.withdraw(_query(exchange, Selection))
                return 200, {"pending": self._queue.pending()}
            case "GET", "/log":
                return 200, self._found(_query(exchange, LogQuery))
            case "GET", "/log/tally":
                return 200, tally(self._found(_query(exchange, LogQuery)))
            case "DELETE", "/log":
                self._log.clear()
                return 200, []
            case "GET", "/log/wait":
                return await self._wait(exchange, _query(exchange, LogQuery))
        raise Refusal(404, "the control API has no such path or method; the simulator's README lists them")

    def _found(self, query: LogQuery) -> list[Entry]:
        return list(filter(query.fits, self._log.since(query.since)))

    async def _wait(self, exchange: Exchange, query: LogQuery) -> tuple[int, Any]:
        deadline = time.monotonic() + query.timeout
        while True:
            if found := self._found(query):
                return 200, found[0]
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise Refusal(408, f"no such entry from number {query.since} on within {query.timeout:g} s")
            await exchange.pause(remaining, unless=self._log.changed())


def _query(exchange: Exchange, kind: type[T]) -> T:
    try:
        return msgspec.convert(dict(parse_qsl(exchange.query.decode("latin-1"))), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refusal(400, f"query: {error}") from error
