"""The ASGI application: routes, keys, the log entry of every request; built by `bootstrap`."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tollway_simulator.domain.answer import choose_script, make_answer
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.chat import Chat
from tollway_simulator.entrypoints.control import Control
from tollway_simulator.entrypoints.exchange import ClientGone, Exchange
from tollway_simulator.entrypoints.messages import Messages
from tollway_simulator.entrypoints.playback import play_json, play_stream

if TYPE_CHECKING:
    from tollway_simulator.domain.log import Entry, Log
    from tollway_simulator.domain.script_queue import ScriptQueue
    from tollway_simulator.entrypoints.dialect import Dialect
    from tollway_simulator.entrypoints.exchange import Headers

LOGGED_HEADERS = (b"anthropic-version", b"anthropic-beta", b"user-agent", b"content-length")
RETRY_AFTER: Headers = ((b"retry-after", b"2"),)


class Application:
    """Everything that the simulator serves, on one port."""

    def __init__(self, models: tuple[str, ...], log: Log, queue: ScriptQueue) -> None:
        self._log = log
        self._queue = queue
        self._control = Control(log, queue)
        self._models = models
        self._anthropic: Dialect = Messages()
        self._openai: Dialect = Chat()
        self._generating: dict[str, Dialect] = {
            "/v1/messages": self._anthropic,
            "/v1/chat/completions": self._openai,
        }
        self._run_id = os.urandom(6).hex()
        self._open: set[Exchange] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        exchange = Exchange(scope, receive, send)
        self._open.add(exchange)
        try:
            if exchange.path.startswith("/_simulator/"):
                await self._control.serve(exchange)
            elif exchange.path == "/health":
                await exchange.respond(200, b'{"status":"ok"}')
            else:
                await self._serve(exchange)
        except ClientGone:
            pass  # nobody is left to answer
        finally:
            self._open.discard(exchange)

    def cut_all(self) -> None:
        """Close the connections of all answers that are still under way."""
        for exchange in self._open:
            exchange.close()

    async def _serve(self, exchange: Exchange) -> None:
        dialect = self._generating.get(exchange.path)
        if dialect is None:
            dialect = self._anthropic if b"anthropic-version" in exchange.headers else self._openai
        entry = self._log.open(exchange.path, dialect.name)
        entry.request_id = f"req_{self._run_id}{entry.number:012x}"
        entry.headers = {
            name.decode(): value.decode("latin-1")
            for name in LOGGED_HEADERS
            if (value := exchange.headers.get(name)) is not None
        }
        headers: Headers = ((dialect.request_id_header, entry.request_id.encode()),)
        try:
            await self._answer(exchange, dialect, entry, headers)
        except Refusal as refusal:
            entry.status = refusal.status
            extra = RETRY_AFTER if refusal.status == 429 else ()
            await exchange.respond(refusal.status, dialect.render_error(refusal, entry.request_id), headers + extra)
            entry.completed = True
        except ClientGone as gone:
            entry.disconnected_at = gone.at
        finally:
            self._log.finish(entry)

    async def _answer(self, exchange: Exchange, dialect: Dialect, entry: Entry, headers: Headers) -> None:
        body = await exchange.read_body()
        entry.body_sha256 = sha256(body).hexdigest()
        is_models = exchange.path == "/v1/models"
        if not is_models and exchange.path not in self._generating:
            raise Refusal(404, "there is no such path here")
        if exchange.method != ("GET" if is_models else "POST"):
            raise Refusal(405, "Method Not Allowed")
        entry.key_fingerprint = _key_fingerprint(exchange)
        if is_models:
            entry.status = 200
            await exchange.respond(200, dialect.render_models(self._models), headers)
            entry.completed = True
        else:
            await self._generate(exchange, dialect, entry, headers, body)

    async def _generate(
        self, exchange: Exchange, dialect: Dialect, entry: Entry, headers: Headers, body: bytes
    ) -> None:
        dialect.check_headers(exchange)
        prompt = dialect.read_prompt(exchange, body)
        entry.model, entry.stream = prompt.model, prompt.stream
        script, text = choose_script(prompt, exchange.path, self._queue)
        if script.delay:
            await exchange.pause(script.delay)
        if script.status is not None:
            raise Refusal(script.status, f"The simulator was told to answer {script.status}")
        answer = make_answer(prompt, script, text)
        entry.input_tokens = answer.usage.input
        if prompt.stream:
            stream = dialect.render_stream(prompt, answer, entry.request_id)
            await play_stream(exchange, entry, script, stream, headers)
        else:
            rendered = dialect.render_json(prompt, answer, entry.request_id)
            await play_json(exchange, entry, script, answer, rendered, headers)


def _key_fingerprint(exchange: Exchange) -> str:
    key = exchange.headers.get(b"x-api-key", b"").strip()
    if not key:
        scheme, _, token = exchange.headers.get(b"authorization", b"").partition(b" ")
        key = token.strip() if scheme.lower() == b"bearer" else b""
    if not key:
        raise Refusal(401, "no key: send x-api-key or Authorization: Bearer")
    return sha256(key).hexdigest()[:8]
