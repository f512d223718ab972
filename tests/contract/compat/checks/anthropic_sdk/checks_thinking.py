"""Thinking: told, streamed, signed, and sent back as it came."""

from __future__ import annotations

from typing import Any

from checklist import check
from connect import MODEL, async_client, client, request, user

ENABLED = {"type": "enabled", "budget_tokens": 1024}


def thinking(text: str, **fields: Any) -> dict[str, Any]:
    return request(f"{text} [think=5]", thinking=ENABLED, **fields) | {"max_tokens": 2048}


@check
def thinking_comes_before_the_text() -> Any:
    message = client().messages.create(**thinking("hello"))
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[0].signature
    return message


@check
def thinking_in_a_stream() -> Any:
    with client().messages.stream(**thinking("hello")) as stream:
        types = [event.type for event in stream]
        message = stream.get_final_message()
    assert message.content[0].signature, "the signature was lost"
    return {"types": types, "message": message}


@check
def thinking_as_raw_events() -> Any:
    return list(client().messages.create(**thinking("hello"), stream=True))


@check
async def thinking_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        async with asynchronous.messages.stream(**thinking("hello")) as stream:
            return await stream.get_final_message()


@check
def thinking_that_is_redacted() -> Any:
    return client().messages.create(**thinking("hello [redacted]"))


@check
def adaptive_thinking() -> Any:
    asked = request("hello [think]") | {"max_tokens": 2048}
    return client().messages.create(**asked, extra_body={"thinking": {"type": "adaptive", "display": "omitted"}})


@check
def thinking_is_sent_back_with_its_signature() -> Any:
    tool = {"name": "weather", "description": "", "input_schema": {"type": "object", "properties": {}}}
    asked = [user("weather? [think=3] [tool]")]
    fields = {"model": MODEL, "max_tokens": 2048, "tools": [tool], "thinking": ENABLED}
    first = client().messages.create(**fields, messages=asked)
    call = first.content[-1]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    answered = [*asked, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    return [first, client().messages.create(**fields, messages=answered)]


@check
def every_reason_to_stop() -> Any:
    return [
        client().messages.create(**request(f"hello [stop={reason}]"))
        for reason in ("refusal", "pause_turn", "model_context_window_exceeded")
    ]
