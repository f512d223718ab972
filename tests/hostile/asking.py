"""Valid requests of every endpoint, for the tests to spoil."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_numbers = itertools.count()


@dataclass(frozen=True)
class Endpoint:
    """One path that takes a body, and the least that it takes."""

    path: str
    dialect: str
    """Whose errors it answers: anthropic or openai."""
    least: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    asks_in: str = "messages"
    """The field that holds the question."""
    limit: str = ""
    """The field that bounds the answer; the others have none that the gateway reads."""
    streams: bool = True

    def __str__(self) -> str:
        return self.path

    def body(self, text: str = "hello", *, words: int = 0, **fields: Any) -> dict[str, Any]:
        """Return a body that no cache has seen; `words` is how many the answer shall have."""
        return self.body_asking(f"{text} {next(_numbers)}", words=words, **fields)

    def body_asking(self, asked: str, *, words: int = 0, **fields: Any) -> dict[str, Any]:
        """Return a body with just that question."""
        if words:
            asked += f" [words={words}]"
            fields.setdefault(self.limit, max(64, words))
        question = asked if self.asks_in == "input" else [{"role": "user", "content": asked}]
        return {**self.least, self.asks_in: question, **fields}

    def head(self, key: str, *, method: str = "POST", target: str = "", **headers: Any) -> bytes:
        """Return a head; names take underscores, a None leaves a header out."""
        told = {"host": "tollway", "x-api-key": key, "content-type": "application/json", **self.headers}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {target or self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in told.items() if value is not None]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def request(self, key: str, body: Any = None, **options: Any) -> bytes:
        """Return head and body; bytes are sent as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(self.body() if body is None else body).encode()
        return self.head(key, content_length=len(raw), **options) + raw


VERSION = {"anthropic-version": "2026-10-21"}
MESSAGES = Endpoint(
    "/v1/messages", "anthropic", {"model": "claude-haiku-5-5", "max_tokens": 64}, VERSION, limit="max_tokens"
)
COUNT_TOKENS = Endpoint("/v1/messages/count_tokens", "anthropic", {"model": "claude-haiku-5-5"}, VERSION, streams=False)
CHAT = Endpoint("/v1/chat/completions", "openai", {"model": "gpt-6-luna"}, limit="max_completion_tokens")
RESPONSES = Endpoint("/v1/responses", "openai", {"model": "gpt-6-luna"}, asks_in="input", limit="max_output_tokens")
INPUT_TOKENS = Endpoint("/v1/responses/input_tokens", "openai", {"model": "gpt-6-luna"}, asks_in="input", streams=False)
EMBEDDINGS = Endpoint(
    "/v1/embeddings", "openai", {"model": "text-embedding-3-small", "dimensions": 8}, asks_in="input", streams=False
)
ENDPOINTS = (MESSAGES, COUNT_TOKENS, CHAT, RESPONSES, INPUT_TOKENS, EMBEDDINGS)
STREAMING = tuple(endpoint for endpoint in ENDPOINTS if endpoint.streams)


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
