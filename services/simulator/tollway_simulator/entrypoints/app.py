"""The ASGI application: keys, scripts, the log entry of every request; built by `bootstrap`."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tollway_simulator.domain.answer import choose_script, make_answer
from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.prompt_cache import NO_CACHE, CacheUse, PromptCache
from tollway_simulator.domain.refusal import Refusal, scripted_refusal
from tollway_simulator.domain.script import NO_RETRY_AFTER, NO_SCRIPT, SEED_OF_ITS_OWN
from tollway_simulator.domain.script_queue import Arrival
from tollway_simulator.entrypoints.connection.exchange import ClientGone, Exchange
from tollway_simulator.entrypoints.connection.playback import Failing, play_bodiless, play_json, play_stream
from tollway_simulator.entrypoints.control import Control
from tollway_simulator.entrypoints.keys import fingerprint_of
from tollway_simulator.entrypoints.routes import Routes

if TYPE_CHECKING:
    from tollway_simulator.domain.log import Entry, Log
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.script import Script
    from tollway_simulator.domain.script_queue import ScriptQueue
    from tollway_simulator.entrypoints.connection.exchange import Headers
    from tollway_simulator.entrypoints.dialect import Dialect, Endpoint, Provider, Route

LOGGED_HEADERS = ("anthropic-version", "anthropic-beta", "user-agent", "content-length")
RETRY_AFTER = "2"
PREFILL_REFUSED = (
    "This model does not support assistant message prefill. The conversation must end with a user message."
)

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
        entry = self._log.open(exchange.full_path, provider.name, provider.shape)
        entry.request_id = f"req_{self._run_id}{entry.number:012x}"
        entry.headers = {
            name: value.decode("latin-1")
            for raw, name in _LOGGED_HEADERS
            if (value := exchange.headers.get(raw)) is not None
        }
        exchange.head_lines = provider.head_lines(entry.request_id, entry.received_at)
        try:
            await self._answer(exchange, route, entry)
        except (Refusal, RecursionError) as raised:
            # a body may be too deep for what is made of it where its decoder still took it
            refusal = raised if isinstance(raised, Refusal) else Refusal(400, "The request body is nested too deeply")
            error = provider.render_error(refusal, entry.request_id)
            entry.status = error.status
            if error.status == 429:
                exchange.head_lines = provider.head_lines(entry.request_id, entry.received_at, 0)
            headers = _retry_headers(refusal, says_when=error.says_when)
            await exchange.respond(error.status, error.body, headers, error.lines)
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
            key = route.provider.read_key(exchange)
            if not key:
                raise Refusal(401, "no key: send x-api-key or Authorization: Bearer", name="no_key")
            entry.key_fingerprint = exchange.account = fingerprint_of(key)
            route.provider.check_headers(exchange)
        if route.dialect is not None:
            await self._generate(exchange, route, route.dialect, entry, body)
        elif route.endpoint is not None:
            await self._reply(exchange, route, route.endpoint, entry, body)

    async def _generate(self, exchange: Exchange, route: Route, dialect: Dialect, entry: Entry, body: bytes) -> None:
        prompt = dialect.read_prompt(exchange, body)
        entry.model, entry.stream = prompt.model, prompt.stream
        script, text = self._script(prompt.text, route, entry)
        if script.strict:
            dialect.check_strictly(body)
        if script.refuse_prefill and prompt.prefill is not None:
            raise Refusal(400, PREFILL_REFUSED)
        provider = route.provider
        await self._before_answer(exchange, provider, script, entry, can_fail_later=prompt.stream)
        if exchange.status:
            return
        cache = self._cache_use(prompt, exchange) if prompt.segments else NO_CACHE
        answer = make_answer(prompt, script, text, cache, _candidate(script, entry))
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

    def _script(self, text: str, route: Route, entry: Entry) -> tuple[Script, str]:
        self._log.announce()
        return choose_script(text, Arrival(route.path, entry.face, entry.model, entry.key_fingerprint), self._queue)

    async def _reply(self, exchange: Exchange, route: Route, endpoint: Endpoint, entry: Entry, body: bytes) -> None:
        reply = endpoint.reply(exchange, body)
        entry.model, entry.input_tokens = reply.model, reply.input_tokens
        script, _ = self._script(reply.text, route, entry)
        await self._before_answer(exchange, route.provider, script, entry, can_fail_later=False)
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
        if script.silent:
            await exchange.pause(None)
        has_error = script.status is not None or script.error is not None
        exchange.dress(script)
        if script.limits is not None:
            exchange.head_lines = provider.head_lines(entry.request_id, entry.received_at, script.limits)
        if script.delay and (script.beat is None or has_error):
            await exchange.pause(script.delay)
        if script.reset and script.cut is None:
            await exchange.cut(is_reset=True)
        if script.html or script.empty:
            await play_bodiless(exchange, entry, script)
            return
        fails_now = has_error if script.fail is None else not can_fail_later
        if fails_now:
            raise scripted_refusal(script, provider.default_failure)


def _candidate(script: Script, entry: Entry) -> str:
    """Return what tells whose sampled wording it is; with a seed of its own every request has another."""
    number = entry.number if script.sampled == SEED_OF_ITS_OWN else ""
    return f"{script.sampled} {entry.face} {entry.model} {number}" if script.sampled is not None else ""


def _retry_headers(refusal: Refusal, *, says_when: bool) -> Headers:
    headers: list[tuple[bytes, bytes]] = []
    after = refusal.retry_after or (RETRY_AFTER if refusal.status == 429 else None)
    if after and after != NO_RETRY_AFTER and says_when:
        headers.append((b"retry-after", after.encode()))
    if refusal.should_retry is not None:
        headers.append((b"x-should-retry", b"true" if refusal.should_retry else b"false"))
    return tuple(headers)
