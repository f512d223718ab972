"""The requests of a fuzz run: number and seed decide each of them, whoever sends it and when."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from hostile.asking import CHAT, STREAMING, Endpoint, chunked
from hostile.fuzz.mutation import TEXTS, corrupt, spell, spoil
from hostile.fuzz.seeds import SEEDS

# what a request that is no HTTP may be told on top: not this method, not this version
NO_HTTP = frozenset({501, 505})
ROUTES = [
    *("/health", "/health/live", "/metrics", "/v1/models", "/v1/metrics", "/v1/metrics/recent?n=3", "/openapi.json"),
    *("/", "/api/hello", "/v1/models/claude-haiku-5-5"),
    *("/v1/responses/resp_1", "/v1/responses/resp_1/input_items", "/v1/messages/batches", "/nowhere"),
]
METHODS = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]
HEADERS = [
    *("anthropic-version", "anthropic-beta", "openai-beta", "traceparent", "x-gateway-conversation-id", "accept"),
    *("user-agent", "content-type", "content-encoding", "authorization", "x-api-key", "idempotency-key", "cookie"),
    *("x-forwarded-for", "host", "te", "range", "if-none-match", "x-stainless-timeout", "accept-encoding", "origin"),
]
# what the provider is told to do, and the fault that this may be to the client
SCRIPTS = {
    **{f"[status={status}]": {status} for status in (404, 429, 500, 503, 529)},
    "[cut=2]": {503},
    **dict.fromkeys(("[words=40]", "[usage=in:1,out:2,read:3,write:4]", "[tool]", "[echo]"), frozenset()),
}
LATIN = "".join(chr(code) for code in (9, *range(32, 127), *range(128, 256)))


@dataclass(frozen=True)
class Shot:
    """One request."""

    number: int
    kind: str
    raw: bytes
    dialect: str | None = None
    """Whose shape an error must have; None where the request does not tell."""
    method: str = "POST"
    faults: frozenset[int] = frozenset()
    """Statuses from 500 that it may be answered with."""
    is_http: bool = True
    """False: where it ends is in doubt, so it gets a connection of its own, which may end without an answer."""


def shot(seed: int, number: int, key: str) -> Shot:
    """Return one request of the run."""
    chance = random.Random(f"{seed}:{number}")
    kind = chance.choices(list(_KINDS), _WEIGHTS)[0]
    return _KINDS[kind](number, chance, key)


def _seed(chance: random.Random) -> tuple[Endpoint, dict[str, Any]]:
    endpoint, body = chance.choice(SEEDS)
    return endpoint, body | ({"stream": True} if endpoint.streams and chance.random() < 0.3 else {})


def _tree(number: int, chance: random.Random, key: str) -> Shot:
    endpoint, body = _seed(chance)
    raw = spell(spoil(body, chance), chance)
    if chance.random() < 0.1:
        cuts = [raw[at : at + 50] for at in range(0, len(raw), 50)][:40]
        raw = b"".join(cuts)
        request = endpoint.head(key, transfer_encoding="chunked") + chunked(*cuts)
    else:
        request = endpoint.request(key, raw)
    return Shot(number, "body", request, endpoint.dialect)


def _bytes(number: int, chance: random.Random, key: str) -> Shot:
    endpoint, body = _seed(chance)
    return Shot(number, "bytes", endpoint.request(key, corrupt(json.dumps(body).encode(), chance)), endpoint.dialect)


def _noise(number: int, chance: random.Random, key: str) -> Shot:
    endpoint, _ = _seed(chance)
    return Shot(
        number, "noise", endpoint.request(key, chance.randbytes(chance.choice([1, 30, 3000]))), endpoint.dialect
    )


def _headers(number: int, chance: random.Random, key: str) -> Shot:
    endpoint, body = _seed(chance)
    told = {}
    for _ in range(chance.choice([1, 2, 5])):
        text = chance.choice([*TEXTS, "gzip", "Bearer x", "*/*", "application/json", ",;=", "\xff\xfe"])
        line = "".join(letter for letter in text[:300] if letter in LATIN)
        told[chance.choice(HEADERS)] = line
    # without its version an error may be in either dialect
    return Shot(number, "headers", endpoint.request(key, body, **told))


def _route(number: int, chance: random.Random, key: str) -> Shot:
    method, target = chance.choice(METHODS), chance.choice(ROUTES)
    if chance.random() < 0.4:
        noise = "".join(chance.choice("/%?&=.;~ab0\xff") for _ in range(chance.randint(1, 40)))
        target += chance.choice(["", "/", "?", "?n=", "%"]) + noise
    body = chance.choice([b"", b"{}", b"x" * 100])
    return Shot(number, "route", CHAT.request(key, body, method=method, target=target), None, method)


def _scripted(number: int, chance: random.Random, key: str) -> Shot:
    endpoint = chance.choice(STREAMING)
    script = chance.choice(list(SCRIPTS))
    body = endpoint.body_asking(f"{script} {number}", stream=chance.random() < 0.5)
    return Shot(number, "scripted", endpoint.request(key, body), endpoint.dialect, faults=frozenset(SCRIPTS[script]))


def _wire(number: int, chance: random.Random, key: str) -> Shot:
    endpoint, body = _seed(chance)
    request = endpoint.request(key, body)
    head = request.index(b"\r\n\r\n") + 4
    raw = corrupt(request[:head], chance) + request[head:]
    return Shot(number, "wire", raw, None, faults=NO_HTTP, is_http=False)


_KINDS = {
    "body": _tree,
    "bytes": _bytes,
    "noise": _noise,
    "headers": _headers,
    "route": _route,
    "scripted": _scripted,
    "wire": _wire,
}
_WEIGHTS = (55, 12, 3, 10, 7, 5, 8)
