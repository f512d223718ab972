"""The Responses API: created, streamed, parsed, with tools, continued, looked up and deleted."""

from __future__ import annotations

from typing import Any

from checklist import ask, check, raised, told_until_the_end
from connect import MODEL, async_client, client
from plain import plain_headers
from pydantic import BaseModel

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}


class City(BaseModel):
    """What structured outputs are parsed into."""

    city: str


@check
def response_create() -> Any:
    response = client().responses.create(model=MODEL, input=ask("hello [words=7]"))
    assert len(response.output_text.split()) == 7
    return response


@check
async def response_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        return await asynchronous.responses.create(model=MODEL, input=ask("hello"))


@check
def response_headers() -> Any:
    return plain_headers(client().responses.with_raw_response.create(model=MODEL, input=ask("hello")).headers)


@check
def response_to_items_with_instructions() -> Any:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": ask("hello")}]},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": [{"type": "input_text", "text": ask("and now?")}]},
    ]
    fields = {"instructions": "Be brief.", "max_output_tokens": 16, "metadata": {"run": "7"}, "store": False}
    return client().responses.create(model=MODEL, input=items, **fields)


@check
def response_with_unknown_fields() -> Any:
    return client().responses.create(model=MODEL, input=ask("hello"), extra_body={"not_invented_yet": [1, 2.50]})


@check
def response_in_a_stream() -> Any:
    events = list(client().responses.create(model=MODEL, input=ask("hello [words=9]"), stream=True))
    assert events[-1].type == "response.completed"
    return events


@check
def response_in_the_stream_helper() -> Any:
    with client().responses.stream(model=MODEL, input=ask("hello [words=9]")) as stream:
        types = [event.type for event in stream]
        return {"types": types, "response": stream.get_final_response()}


@check
async def response_in_an_async_stream() -> Any:
    async with async_client() as asynchronous:
        stream = await asynchronous.responses.create(model=MODEL, input=ask("hello"), stream=True)
        return [event.type async for event in stream]


@check
def response_is_parsed() -> Any:
    items = [{"role": "system", "content": ask("Answer.")}, {"role": "user", "content": '[echo]{"city":"Paris"}'}]
    response = client().responses.parse(model=MODEL, input=items, text_format=City)
    assert response.output_parsed == City(city="Paris")
    return response


@check
def response_with_a_tool_call() -> Any:
    return client().responses.create(model=MODEL, input=ask("weather? [tool]"), tools=[WEATHER])


@check
def response_with_a_tool_call_in_a_stream() -> Any:
    return list(client().responses.create(model=MODEL, input=ask("[tool]"), tools=[WEATHER], stream=True))


@check
def response_tool_round_trip() -> Any:
    asked = [{"role": "user", "content": ask("weather? [tool]")}]
    first = client().responses.create(model=MODEL, input=asked, tools=[WEATHER])
    call = next(item for item in first.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny, 21 degrees"}
    second = client().responses.create(model=MODEL, input=[*asked, *first.output, result], tools=[WEATHER])
    assert "sunny" in second.output_text
    return [first, second]


@check
def response_after_a_response() -> Any:
    first = client().responses.create(model=MODEL, input=ask("hello"))
    second = client().responses.create(model=MODEL, input=ask("go on"), previous_response_id=first.id)
    assert second.previous_response_id == first.id
    return second


@check
def response_looked_up_and_deleted() -> Any:
    made = client().responses.create(model=MODEL, input=ask("hello"))
    found = client().responses.retrieve(made.id)
    items = list(client().responses.input_items.list(made.id))
    client().responses.delete(made.id)
    return {"found": found, "items": items, "after": raised(lambda: client().responses.retrieve(made.id))}


@check
def response_with_reasoning() -> Any:
    asked = {"model": MODEL, "input": ask("hello [think=3]"), "reasoning": {"effort": "high", "summary": "auto"}}
    whole = client().responses.create(**asked, include=["reasoning.encrypted_content"])
    events = client().responses.create(**asked | {"input": ask("[think=3]")}, stream=True)
    return {"whole": whole, "events": list(events)}


@check
def error_of_a_response() -> Any:
    statuses = (400, 401, 402, 403, 404, 429, 500, 503, 529)
    return [raised(lambda: client().responses.create(model=MODEL, input=ask(f"[status={one}]"))) for one in statuses]  # noqa: B023


@check
def error_of_an_unknown_previous_response() -> Any:
    unknown = "resp_0123456789abcdef0123456789abcdef"
    return raised(lambda: client().responses.create(model=MODEL, input=ask("x"), previous_response_id=unknown))


@check
def error_in_the_middle_of_a_response() -> Any:
    return [_outcome(f"hello [words=20] [fail={words}]") for words in (9, 0)]


@check
def cut_stream_of_a_response() -> Any:
    return _outcome("hello [words=20] [cut=9]")


@check
def cut_stream_of_a_response_that_ends_cleanly() -> Any:
    return _outcome("hello [words=20] [end=9]")


def _outcome(text: str) -> Any:
    return told_until_the_end(
        lambda: client().responses.create(model=MODEL, input=ask(text), stream=True), lambda event: event.type
    )
