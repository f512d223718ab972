"""A running simulator with a client of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from tollway_simulator.bootstrap import bootstrap
from tollway_simulator.settings import Settings


@dataclass
class Running:
    url: str
    http: aiohttp.ClientSession
    anthropic: AsyncAnthropic
    openai: AsyncOpenAI

    async def control(self, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        async with self.http.request(method, f"{self.url}/_simulator{path}", **options) as response:
            assert response.status == expect, await response.text()
            return await response.json()

    async def log(self, since: int = 0) -> list[dict[str, Any]]:
        return await self.control("GET", "/log", params={"since": since})

    async def wait(self, **query: int) -> dict[str, Any]:
        return await self.control("GET", "/log/wait", params=query)


@pytest.fixture
async def simulator() -> AsyncIterator[Running]:
    async with bootstrap(Settings("127.0.0.1:0")) as port:
        url = f"http://127.0.0.1:{port}"
        async with (
            aiohttp.ClientSession() as http,
            AsyncAnthropic(base_url=url, api_key="sk-test", max_retries=0) as anthropic,
            AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-test", max_retries=0) as openai,
        ):
            yield Running(url, http, anthropic, openai)
