"""A message as it is written: raw events, the stream helper, and both clients."""

from __future__ import annotations

from typing import Any

from checklist import check
from connect import async_client, client, new_client, request
from plain import plain_headers


@check
def stream_of_raw_events() -> Any:
    events = list(client().messages.create(**request("hello [words=9]"), stream=True))
    assert [event.type for event in events][-1] == "message_stop"
    return events


@check
def stream_helper() -> Any:
    with client().messages.stream(**request("hello [words=9]")) as stream:
        text = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(text) == 9
    return {"text": text, "message": message, "snapshot": stream.current_message_snapshot}


@check
def stream_helper_events() -> Any:
    with client().messages.stream(**request("hello [words=9]")) as stream:
        return [event.type for event in stream]


@check
async def stream_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        async with asynchronous.messages.stream(**request("hello [words=9]")) as stream:
            text = [piece async for piece in stream.text_stream]
            return {"text": text, "message": await stream.get_final_message()}


@check
async def stream_of_raw_events_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        stream = await asynchronous.messages.create(**request("hello [words=9]"), stream=True)
        return [event async for event in stream]


@check
def stream_with_a_pause_between_events() -> Any:
    with client().messages.stream(**request("hello [words=9] [pace=0.01]")) as stream:
        return stream.get_final_message()


@check
def stream_headers() -> Any:
    with client().messages.stream(**request("hello")) as stream:
        headers = plain_headers(stream.response.headers)
        stream.get_final_message()
    return headers


@check
def stream_as_bytes() -> Any:
    with client().messages.with_streaming_response.create(**request("hello"), stream=True) as response:
        return b"".join(response.iter_bytes())


@check
def stream_of_many_events() -> Any:
    with client().messages.stream(**request("hello [words=3000]") | {"max_tokens": 4000}) as stream:
        message = stream.get_final_message()
    assert message.usage.output_tokens == 3000
    return message


@check
def stream_of_unusual_text() -> Any:
    text = "\u2028 \x00 \r\n data: x\n\n event: error 👩‍👩‍👧 \x85 漢字"
    with client().messages.stream(**request(f"[echo] {text}")) as stream:
        return stream.get_final_message()


@check
def stream_truncated_by_max_tokens() -> Any:
    with client().messages.stream(**request("hello [words=50]") | {"max_tokens": 5}) as stream:
        return stream.get_final_message()


@check
def stream_in_the_beta_namespace() -> Any:
    betas = ["not-invented-yet-2027-01-01"]
    with client().beta.messages.stream(**request("hello"), betas=betas) as stream:
        return stream.get_final_message()


@check
def closing_a_stream_early() -> Any:
    with new_client() as one:
        with one.messages.stream(**request("go on [words=500] [pace=0.01]") | {"max_tokens": 600}) as stream:
            types = [event.type for event, _ in zip(stream, range(8), strict=False)]
        after = one.messages.create(**request("and now [words=3]"))
    return {"types": types, "after": after}
