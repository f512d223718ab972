"""Clients of OpenAI's SDK, and the request that most checks begin with."""

from __future__ import annotations

from functools import cache
from typing import Any

import openai
from checklist import BASE_URL, KEY, ask

MODEL = "gpt-4.1"
WITH_USAGE = {"stream_options": {"include_usage": True}}


@cache
def client() -> openai.OpenAI:
    """Return the client that most checks share, as an application would."""
    return new_client()


def new_client(**options: Any) -> openai.OpenAI:
    return openai.OpenAI(**{"base_url": f"{BASE_URL}/v1", "api_key": KEY, "max_retries": 0, **options})


def async_client() -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{BASE_URL}/v1", api_key=KEY, max_retries=0)


def request(text: str, **fields: Any) -> dict[str, Any]:
    """Make the arguments of `chat.completions.create`."""
    return {"model": MODEL, "messages": [user(text)], **fields}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": ask(text)}
