"""Clients of Anthropic's SDK, and the request that most checks begin with."""

from __future__ import annotations

from functools import cache
from typing import Any

import anthropic
from checklist import BASE_URL, KEY, ask

MODEL = "claude-haiku-4-5"


@cache
def client() -> anthropic.Anthropic:
    """Return the client that most checks share, as an application would."""
    return new_client()


def new_client(**options: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(**{"base_url": BASE_URL, "api_key": KEY, "max_retries": 0, **options})


def async_client() -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=BASE_URL, api_key=KEY, max_retries=0)


def request(text: str, **fields: Any) -> dict[str, Any]:
    """Make the arguments of `messages.create`."""
    return {"model": MODEL, "max_tokens": 64, "messages": [user(text)], **fields}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": ask(text)}
