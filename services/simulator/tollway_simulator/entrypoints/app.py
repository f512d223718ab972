"""The ASGI application: keys, scripts, the log entry of every request; built by `bootstrap`."""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tollway_simulator.domain.answer import choose_script, make_answer
from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.prompt_cache import NO_CACHE, CacheUse, PromptCache
from tollway_simulator.domain.refusal import Refusal, scripted_refusal
from tollway_simulator.domain.script import NO_SCRIPT
from tollway_simulator.entrypoints.control import Control
from tollway_simulator.entrypoints.exchange import ClientGone, Exchange
from tollway_simulator.entrypoints.playback import Failing, play_bodiless, play_json, play_stream
from tollway_simulator.entrypoints.routes import Routes

if TYPE_CHECKING:
    from tollway_simulator.domain.log import Entry, Log
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.script import Script
    from tollway_simulator.domain.script_queue import ScriptQueue
    from tollway_simulator.entrypoints.dialect import Dialect, Endpoint, Provider
    from tollway_simulator.entrypoints.exchange import Headers
    from tollway_simulator.entrypoints.routes import Route

LOGGED_HEADERS = ("anthropic-version", "anthropic-beta", "user-agent", "content-length")
RETRY_AFTER = "2"

_LOGGED_HEADERS = [(name.encode(), name) for name in LOGGED_HEADERS]


class Application:
    """Everything that the simulator serves, on one port."""

    def __init__(self, models: tuple[str, ...], log: Log, queue: ScriptQueue) -> None:
        self._log = log
        self._queue = queue
        self._control = Control(log, queue)
        self._routes = Routes(models)
        self._prompt_cache = PromptCache()
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
        route = self._routes.find(exchange)
        provider = route.provider
        entry = self._log.open(exchange.path, provider.name)
        entry.request_id = f"req_{self._run_id}{entry.number:012x}"
        entry.headers = {
            name: value.decode("latin-1")
            for raw, name in _LOGGED_HEADERS
            if (value := exchange.headers.get(raw)) is not None
        }
        exchange.head_lines = provider.head_lines(entry.request_id, entry.received_at)
        try:
            await self._answer(exchange, route, entry)
        except (Refusal, RecursionError) as error:
            # a body may be too deep for what is made of it where its decoder still took it
            refusal = error if isinstance(error, Refusal) else Refusal(400, "The request body is nested too deeply")
            entry.status = refusal.status
            body = provider.render_error(refusal, entry.request_id)
            if refusal.status == 429:
                exchange.head_lines = provider.head_lines(entry.request_id, entry.received_at, 0)
            await exchange.respond(refusal.status, body, _retry_headers(refusal))
            entry.completed = True
        except ClientGone as gone:
            entry.disconnected_at = gone.at
        finally:
            self._log.finish(entry)

    async def _answer(self, exchange: Exchange, route: Route, entry: Entry) -> None:
        body = await exchange.read_body()
        entry.body_sha256 = sha256(body).hexdigest()
        if not route.methods:
            raise Refusal(404, "there is no such path here")
        if exchange.method not in route.methods:
            raise Refusal(405, "Method Not Allowed")
        if route.needs_key:
            entry.key_fingerprint = exchange.account = _key_fingerprint(exchange)
            route.provider.check_headers(exchange)
        if route.dialect is not None:
            await self._generate(exchange, route.provider, route.dialect, entry, body)
        elif route.endpoint is not None:
            await self._reply(exchange, route.provider, route.endpoint, entry, body)

    async def _generate(
        self, exchange: Exchange, provider: Provider, dialect: Dialect, entry: Entry, body: bytes
    ) -> None:
        prompt = dialect.read_prompt(exchange, body)
        entry.model, entry.stream = prompt.model, prompt.stream
        script, text = choose_script(prompt.text, exchange.path, self._queue)
        if script.strict:
            dialect.check_strictly(body)
        await self._before_answer(exchange, provider, script, entry, can_fail_later=prompt.stream)
        if exchange.status:
            return
        answer = make_answer(prompt, script, text, self._cache_use(prompt, exchange) if prompt.segments else NO_CACHE)
        entry.input_tokens = answer.usage.input
        if prompt.stream:
            padded = bool(script.obfuscation)
            stream = dialect.render_stream(prompt, answer, entry.request_id, is_padded=padded)
            failing = Failing(provider.default_failure, prompt, entry.request_id)
            await play_stream(exchange, entry, script, stream, dialect, failing)
        else:
            rendered = dialect.render_json(prompt, answer, entry.request_id)
            await play_json(exchange, entry, script, answer.words, rendered)

    def _cache_use(self, prompt: Prompt, exchange: Exchange) -> CacheUse:
        traits = traits_of(prompt.model)
        use = self._prompt_cache.use(f"{prompt.model} {exchange.account}", prompt.segments, traits.cache_minimum)
        return use if exchange.path == "/v1/messages" or traits.has("W") else CacheUse(use.read)

    async def _reply(
        self, exchange: Exchange, provider: Provider, endpoint: Endpoint, entry: Entry, body: bytes
    ) -> None:
        reply = endpoint.reply(exchange, body)
        entry.model, entry.input_tokens = reply.model, reply.input_tokens
        script, _ = choose_script(reply.text, exchange.path, self._queue)
        await self._before_answer(exchange, provider, script, entry, can_fail_later=False)
        if not exchange.status:
            await play_json(exchange, entry, script, 0, reply.body)

    async def _before_answer(
        self,
        exchange: Exchange,
        provider: Provider,
        script: Script,
        entry: Entry,
        *,
        can_fail_later: bool,
    ) -> None:
        """Do what a script wants done before, or in place of, an answer."""
        if script is NO_SCRIPT:
            return
        has_error = script.status is not None or script.error is not None
        exchange.dress(script)
        if script.limits is not None:
            exchange.head_lines = provider.head_lines(entry.request_id, entry.received_at, script.limits)
        if script.delay and (script.beat is None or has_error):
            await exchange.pause(script.delay)
        if script.html or script.empty:
            await play_bodiless(exchange, entry, script)
            return
        fails_now = has_error if script.fail is None else not can_fail_later
        if fails_now:
            raise scripted_refusal(script, provider.default_failure)


def _retry_headers(refusal: Refusal) -> Headers:
    headers: list[tuple[bytes, bytes]] = []
    after = refusal.retry_after or (RETRY_AFTER if refusal.status == 429 else None)
    if after:
        headers.append((b"retry-after", after.encode()))
    if refusal.should_retry is not None:
        headers.append((b"x-should-retry", b"true" if refusal.should_retry else b"false"))
    return tuple(headers)


def _key_fingerprint(exchange: Exchange) -> str:
    key = exchange.headers.get(b"x-api-key", b"").strip()
    if not key:
        scheme, _, token = exchange.headers.get(b"authorization", b"").partition(b" ")
        key = token.strip() if scheme.lower() == b"bearer" else b""
    if not key:
        raise Refusal(401, "no key: send x-api-key or Authorization: Bearer")
    return _fingerprint(key)


@lru_cache(maxsize=1024)
def _fingerprint(key: bytes) -> str:
    return sha256(key).hexdigest()[:8]
