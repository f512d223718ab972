"""A chat completion as it is written, with and without its usage."""

from __future__ import annotations

from typing import Any

from checklist import check
from connect import WITH_USAGE, async_client, client, new_client, request
from plain import plain_headers


@check
def stream_without_usage() -> Any:
    chunks = list(client().chat.completions.create(**request("hello [words=9]"), stream=True))
    assert sum(1 for chunk in chunks if chunk.choices and chunk.choices[0].delta.content) == 9
    return chunks


@check
def stream_with_usage() -> Any:
    chunks = list(client().chat.completions.create(**request("hello [words=9]"), stream=True, **WITH_USAGE))
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [9]
    return chunks


@check
def stream_without_usage_as_asked() -> Any:
    options = {"include_usage": False}
    chunks = list(client().chat.completions.create(**request("hello"), stream=True, stream_options=options))
    assert not any(chunk.usage for chunk in chunks)
    return chunks


@check
def stream_without_usage_but_other_options() -> Any:
    options = {"include_obfuscation": False}
    return list(client().chat.completions.create(**request("hello"), stream=True, stream_options=options))


@check
async def stream_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        chunks = await asynchronous.chat.completions.create(**request("hello"), stream=True, **WITH_USAGE)
        return [chunk async for chunk in chunks]


@check
def stream_helper() -> Any:
    with client().chat.completions.stream(**request("hello [words=9]"), **WITH_USAGE) as opened:
        types = [event.type for event in opened]
        return {"types": types, "completion": opened.get_final_completion()}


@check
def stream_headers() -> Any:
    raw = client().chat.completions.with_raw_response.create(**request("hello"), stream=True, **WITH_USAGE)
    headers = plain_headers(raw.headers)
    list(raw.parse())
    return headers


@check
def stream_as_bytes() -> Any:
    asked = request("hello") | WITH_USAGE
    with client().chat.completions.with_streaming_response.create(**asked, stream=True) as response:
        return b"".join(response.iter_bytes())


@check
def stream_as_bytes_without_usage() -> Any:
    with client().chat.completions.with_streaming_response.create(**request("hello"), stream=True) as response:
        return b"".join(response.iter_bytes())


@check
def stream_of_many_chunks() -> Any:
    chunks = client().chat.completions.create(**request("hello [words=3000]"), stream=True, **WITH_USAGE)
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(pieces) == 3000
    return "".join(pieces)


@check
def stream_of_unusual_text() -> Any:
    text = "[echo] \u2028 \x00 \r\n data: [DONE]\n\n data: x 👩‍👩‍👧 \x85 漢字"
    return list(client().chat.completions.create(**request(text), stream=True, **WITH_USAGE))


@check
def stream_truncated_by_max_tokens() -> Any:
    asked = request("hello [words=50]", max_completion_tokens=5)
    return list(client().chat.completions.create(**asked, stream=True, **WITH_USAGE))


@check
def stream_of_several_choices() -> Any:
    return list(client().chat.completions.create(**request("hello [words=4]"), n=2, stream=True, **WITH_USAGE))


@check
def stream_with_log_probabilities() -> Any:
    asked = request("hello [words=4]", logprobs=True, top_logprobs=2)
    return list(client().chat.completions.create(**asked, stream=True, **WITH_USAGE))


@check
def stream_with_a_pause_between_chunks() -> Any:
    return list(client().chat.completions.create(**request("hello [pace=0.01]"), stream=True, **WITH_USAGE))


@check
def closing_a_stream_early() -> Any:
    with new_client() as one:
        asked = request("go on [words=500] [pace=0.01]", stream=True, **WITH_USAGE)
        with one.chat.completions.create(**asked) as opened:
            kinds = [chunk.object for chunk, _ in zip(opened, range(8), strict=False)]
        after = one.chat.completions.create(**request("and now [words=3]"))
    return {"kinds": kinds, "after": after}
