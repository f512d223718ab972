"""Tools: called, called in parallel, forced, forbidden, answered."""

from __future__ import annotations

from typing import Any

from checklist import check
from connect import MODEL, async_client, client, request, user
from plain import plain

PROPERTIES = {"city": {"type": "string"}, "days": {"type": "integer"}}
SCHEMA = {"type": "object", "properties": PROPERTIES, "required": ["city"]}
WEATHER = {"name": "weather", "description": "weather of a city", "input_schema": SCHEMA}
CLOCK = {"name": "clock", "description": "time in a city", "input_schema": {"type": "object", "properties": {}}}


@check
def tool_call() -> Any:
    message = client().messages.create(**request("weather? [tool]", tools=[WEATHER, CLOCK]))
    assert message.stop_reason == "tool_use"
    return message


@check
def parallel_tools() -> Any:
    message = client().messages.create(**request("weather? [tools=3]", tools=[WEATHER, CLOCK]))
    assert [block.type for block in message.content].count("tool_use") == 3
    return message


@check
def parallel_tools_in_a_stream() -> Any:
    with client().messages.stream(**request("weather? [tools=3]", tools=[WEATHER, CLOCK])) as stream:
        message = stream.get_final_message()
    assert [block.type for block in message.content].count("tool_use") == 3
    return message


@check
def tool_call_in_a_stream() -> Any:
    with client().messages.stream(**request("weather? [tool]", tools=[WEATHER])) as stream:
        events = [event for event in stream if event.type == "input_json"]
        message = stream.get_final_message()
    assert message.content[-1].input["city"]
    return {"pieces": [event.partial_json for event in events], "message": message}


@check
async def tool_call_in_an_async_stream() -> Any:
    async with async_client() as asynchronous:
        async with asynchronous.messages.stream(**request("weather? [tool]", tools=[WEATHER])) as stream:
            return await stream.get_final_message()


@check
def forced_tool() -> Any:
    choice = {"type": "tool", "name": "clock"}
    message = client().messages.create(**request("what?", tools=[WEATHER, CLOCK], tool_choice=choice))
    assert message.content[-1].name == "clock"
    return message


@check
def any_tool_and_no_tool() -> Any:
    return [
        client().messages.create(**request("what?", tools=[WEATHER], tool_choice={"type": kind}))
        for kind in ("any", "auto", "none")
    ]


@check
def no_parallel_tools() -> Any:
    choice = {"type": "any", "disable_parallel_tool_use": True}
    return client().messages.create(**request("what?", tools=[WEATHER, CLOCK], tool_choice=choice))


@check
def tool_round_trip() -> Any:
    asked = [user("weather? [tool]")]
    first = client().messages.create(model=MODEL, max_tokens=64, tools=[WEATHER], messages=asked)
    answered = [*asked, {"role": "assistant", "content": first.content}, _results(first)]
    second = client().messages.create(model=MODEL, max_tokens=64, tools=[WEATHER], messages=answered)
    assert "sunny" in second.content[0].text
    return [first, second]


@check
def tool_result_as_blocks_and_as_an_error() -> Any:
    call = {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Oslo"}}
    results = [
        {"content": [{"type": "text", "text": "rain"}, {"type": "text", "text": "wind"}]},
        {"content": "no such city", "is_error": True},
        {},
    ]
    return [
        client().messages.create(
            model=MODEL,
            max_tokens=64,
            tools=[WEATHER],
            messages=[
                user("weather?"),
                {"role": "assistant", "content": [call]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01", **result}]},
            ],
        )
        for result in results
    ]


@check
def tools_with_cache_control_and_unknown_kinds() -> Any:
    tools = [
        {**WEATHER, "cache_control": {"type": "ephemeral", "ttl": "1h"}, "defer_loading": True},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ]
    return client().messages.create(**request("weather? [tool]", tools=tools))


@check
def tool_arguments_keep_their_bytes() -> Any:
    size = {"type": "string", "enum": ["\u2028", "👍"]}
    schema = {"type": "object", "properties": {"größe": size}, "required": ["größe"]}
    tool = {"name": "odd", "description": "", "input_schema": schema}
    return client().messages.create(**request("[tool]", tools=[tool]))


def _results(message: Any) -> dict[str, Any]:
    calls = [block for block in plain(message)["content"] if block["type"] == "tool_use"]
    contents = [{"type": "tool_result", "tool_use_id": call["id"], "content": "sunny, 21 degrees"} for call in calls]
    return {"role": "user", "content": contents}
