"""Tokens counted before they are spent."""

from __future__ import annotations

from typing import Any

from checklist import ask, check, raised
from connect import MODEL, async_client, client, user

TOOL = {"name": "weather", "description": "of a city", "input_schema": {"type": "object", "properties": {}}}


@check
def count_tokens() -> Any:
    counted = client().messages.count_tokens(model=MODEL, messages=[user("how many tokens are these?")])
    assert counted.input_tokens > 3
    return counted


@check
def count_tokens_of_everything() -> Any:
    fields = {"system": [{"type": "text", "text": ask("Be brief.")}], "tools": [TOOL], "tool_choice": {"type": "any"}}
    raw = client().messages.with_raw_response.count_tokens(model=MODEL, messages=[user("hello")], **fields)
    return {"headers": dict(raw.headers), "counted": raw.parse()}


@check
async def count_tokens_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        return await asynchronous.messages.count_tokens(model=MODEL, messages=[user("hello")])


@check
def count_tokens_in_the_beta_namespace() -> Any:
    betas = ["token-counting-2024-11-01"]
    return client().beta.messages.count_tokens(model=MODEL, messages=[user("hello")], betas=betas)


@check
def error_of_counting() -> Any:
    asked = {"model": MODEL, "messages": [user("hello [status=529]")]}
    return [
        raised(lambda: client().messages.count_tokens(**asked)),
        raised(lambda: client().messages.count_tokens(model=MODEL, messages="none")),
    ]
