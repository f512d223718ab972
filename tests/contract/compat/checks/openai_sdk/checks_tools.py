"""Tools in chat completions: called, forced, forbidden, answered."""

from __future__ import annotations

from typing import Any

from checklist import check
from connect import MODEL, WITH_USAGE, async_client, client, request, user

PROPERTIES = {"city": {"type": "string"}, "days": {"type": "integer"}}
SCHEMA = {"type": "object", "properties": PROPERTIES, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": SCHEMA}}
CLOCK = {"type": "function", "function": {"name": "clock"}}


@check
def tool_call() -> Any:
    completion = client().chat.completions.create(**request("weather? [tool]", tools=[WEATHER, CLOCK]))
    assert completion.choices[0].finish_reason == "tool_calls"
    return completion


@check
def parallel_tools() -> Any:
    completion = client().chat.completions.create(**request("weather? [tools=3]", tools=[WEATHER, CLOCK]))
    assert len(completion.choices[0].message.tool_calls) == 3
    return completion


@check
def parallel_tools_in_a_stream() -> Any:
    return list(client().chat.completions.create(**request("[tools=3]", tools=[WEATHER]), stream=True, **WITH_USAGE))


@check
def tool_call_in_a_stream() -> Any:
    return list(client().chat.completions.create(**request("[tool]", tools=[WEATHER]), stream=True, **WITH_USAGE))


@check
def tool_call_in_a_stream_without_usage() -> Any:
    return list(client().chat.completions.create(**request("[tool]", tools=[WEATHER]), stream=True))


@check
async def tool_call_in_an_async_stream() -> Any:
    async with async_client() as asynchronous:
        asked = request("weather? [tool]", tools=[WEATHER])
        return [chunk async for chunk in await asynchronous.chat.completions.create(**asked, stream=True, **WITH_USAGE)]


@check
def tool_call_in_the_stream_helper() -> Any:
    with client().chat.completions.stream(**request("[tool]", tools=[WEATHER]), **WITH_USAGE) as stream:
        types = [event.type for event in stream]
        return {"types": types, "completion": stream.get_final_completion()}


@check
def forced_tool() -> Any:
    choice = {"type": "function", "function": {"name": "clock"}}
    completion = client().chat.completions.create(**request("?", tools=[WEATHER, CLOCK]), tool_choice=choice)
    assert completion.choices[0].message.tool_calls[0].function.name == "clock"
    return completion


@check
def required_automatic_and_no_tool() -> Any:
    return [
        client().chat.completions.create(**request("?", tools=[WEATHER]), tool_choice=choice)
        for choice in ("required", "auto", "none")
    ]


@check
def no_parallel_tools() -> Any:
    asked = request("?", tools=[WEATHER, CLOCK], tool_choice="required")
    return client().chat.completions.create(**asked, parallel_tool_calls=False)


@check
def strict_tool() -> Any:
    schema = {**SCHEMA, "required": ["city", "days"], "additionalProperties": False}
    strict = {"type": "function", "function": {**WEATHER["function"], "parameters": schema, "strict": True}}
    return client().chat.completions.create(**request("[tool]", tools=[strict]))


@check
def tool_round_trip() -> Any:
    asked = [user("weather? [tool]")]
    first = client().chat.completions.create(model=MODEL, tools=[WEATHER], messages=asked)
    message = first.choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "sunny, 21 degrees"} for call in message.tool_calls]
    answered = [*asked, message, *results]
    second = client().chat.completions.create(model=MODEL, tools=[WEATHER], messages=answered)
    assert "sunny" in second.choices[0].message.content
    return [first, second]


@check
def legacy_functions() -> Any:
    functions = [{"name": "weather", "parameters": SCHEMA}]
    return client().chat.completions.create(**request("weather?"), functions=functions, function_call="auto")
