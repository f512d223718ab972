"""The official SDKs, answered from memory: whatever body a test gives them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import msgspec
import openai
import pytest
from hypothesis import settings
from tollway_dialects.sse import format_event

# a loaded machine is no reason to fail, and examples that failed belong into the tests, not into a folder
settings.register_profile("tollway", deadline=None, database=None)
settings.load_profile("tollway")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Answering:
    """Both SDKs' clients, which get the given answer to every request."""

    def __init__(self) -> None:
        self._opened: list[Any] = []

    def anthropic(self, body: bytes, status: int = 200) -> anthropic.Anthropic:
        http = self._http(body, status)
        return anthropic.Anthropic(api_key="sk", base_url="http://answer", http_client=http, max_retries=0)

    def openai(self, body: bytes, status: int = 200) -> openai.OpenAI:
        http = self._http(body, status)
        return openai.OpenAI(api_key="sk", base_url="http://answer", http_client=http, max_retries=0)

    def close(self) -> None:
        for client in self._opened:
            client.close()

    def _http(self, body: bytes, status: int) -> httpx2.Client:
        content_type = "application/json" if body.startswith(b"{") else "text/event-stream"

        def answer(_: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(status, headers={"content-type": content_type}, content=body)

        client = httpx2.Client(transport=httpx2.MockTransport(answer))
        self._opened.append(client)
        return client


@pytest.fixture
def answering() -> Iterator[Answering]:
    answering = Answering()
    yield answering
    answering.close()


@pytest.fixture(scope="session")
def cut() -> Callable[[bytes, list[int]], list[bytes]]:
    """Cuts bytes at the given places."""

    def cut_at(data: bytes, places: list[int]) -> list[bytes]:
        edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
        return [data[start:end] for start, end in pairwise(edges)]

    return cut_at


@pytest.fixture(scope="session")
def event() -> Callable[..., bytes]:
    """Writes one event of an Anthropic stream."""

    def write(kind: str, **fields: object) -> bytes:
        return format_event(msgspec.json.encode({"type": kind, **fields}), kind)

    return write
