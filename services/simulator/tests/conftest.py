"""A running simulator with a client of every kind."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from tollway_simulator.bootstrap import bootstrap
from tollway_simulator.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))  # anthropic_blocks, face_requests

from face_requests import FACES, Asking


@dataclass
class Running:
    url: str
    http: aiohttp.ClientSession
    headers = MappingProxyType({"x-api-key": "k", "anthropic-version": "2023-06-01"})

    @cached_property
    def anthropic(self) -> AsyncAnthropic:
        return AsyncAnthropic(base_url=self.url, api_key="sk-test", max_retries=0)

    @cached_property
    def openai(self) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=f"{self.url}/v1", api_key="sk-test", max_retries=0)

    async def aclose(self) -> None:
        """Close the clients that were used."""
        for name in {"anthropic", "openai"} & vars(self).keys():
            await getattr(self, name).close()

    async def control(self, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        async with self.http.request(method, f"{self.url}/_simulator{path}", **options) as response:
            assert response.status == expect, await response.text()
            return await response.json()

    async def post(
        self, path: str, text: str, *, stream: bool = True, **headers: str
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """Send a prompt to any dialect and return the answer with its body as it is on the wire."""
        body = self.body_for(path, text, stream=stream)
        sent = {**self.headers, **headers}
        async with self.http.post(self.url + path, json=body, headers=sent, auto_decompress=False) as response:
            return response, await response.read()

    async def ask(
        self, fields: dict[str, Any], *, path: str = "/v1/messages", version: str = "2023-06-01"
    ) -> tuple[int, Any]:
        """Send fields of a body as they are, besides those that every body needs, and return status and answer."""
        turns = [{"role": "user", "content": "hi"}]
        needed: dict[str, Any] = {"model": "m", "messages": turns}
        if path == "/v1/responses":
            needed = {"model": "m", "input": turns}
        elif path == "/v1/messages":
            needed["max_tokens"] = 5000
        headers = {**self.headers, "anthropic-version": version}
        async with self.http.post(self.url + path, json=needed | fields, headers=headers) as response:
            return response.status, await response.json()

    @staticmethod
    def body_for(path: str, text: str, *, stream: bool) -> dict[str, Any]:
        turns = [{"role": "user", "content": text}]
        if path == "/v1/responses":
            return {"model": "m", "input": turns, "stream": stream}
        return {"model": "m", "max_tokens": 9000, "messages": turns, "stream": stream}

    @staticmethod
    def deltas_in(raw: bytes) -> int:
        """Count the words that a stream of any dialect has brought."""
        words = [b'"text_delta"', b'"delta":{"content":', b'"type":"response.output_text.delta"']
        return sum(raw.count(word) for word in words) - raw.count(b'"delta":{"content":""')

    async def at(
        self, asking: Asking, *turns: str, model: str = "m", stream: bool = False, key: str = "k"
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """Send turns to a face and return the answer with its body."""
        headers = {"x-goog-api-key": key} if asking.face == "google" else {"authorization": f"Bearer {key}"}
        headers["anthropic-version"] = "2023-06-01"
        body = asking.body(*turns, model=model, stream=stream)
        async with self.http.post(self.url + asking.path(model, stream=stream), json=body, headers=headers) as response:
            return response, await response.read()

    async def script(self, **fields: Any) -> None:
        await self.control("POST", "/script", json=fields)

    async def log(self, since: int = 0) -> list[dict[str, Any]]:
        return await self.control("GET", "/log", params={"since": since})

    async def wait(self, **query: int) -> dict[str, Any]:
        return await self.control("GET", "/log/wait", params=query)


@pytest.fixture
async def simulator() -> AsyncIterator[Running]:
    async with bootstrap(Settings("127.0.0.1:0")) as port:
        async with aiohttp.ClientSession() as http, aclosing(Running(f"http://127.0.0.1:{port}", http)) as running:
            yield running


@pytest.fixture(params=["/v1/messages", "/v1/chat/completions", "/v1/responses"], ids=["messages", "chat", "responses"])
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(FACES))
def asking(request: pytest.FixtureRequest) -> Asking:
    return FACES[request.param]
