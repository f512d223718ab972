"""Translating there and back loses nothing that both sides can say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

PAIRS = [(one, other) for one in ("anthropic", "chat", "responses") for other in ("anthropic", "chat", "responses")]
TEXT = some.text(min_size=1, max_size=30).filter(lambda text: not text.startswith("x-anthropic-billing-header"))
NAMES = some.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | TEXT,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ARGUMENTS = some.dictionaries(TEXT, VALUES, max_size=3)
IMAGE = some.builds(
    lambda data: {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
    some.sampled_from(["iVBORw0KGgo=", "AAAA"]),
)
TEXT_BLOCK = some.builds(lambda text: {"type": "text", "text": text}, TEXT)
SAID = TEXT | some.lists(TEXT_BLOCK | IMAGE, min_size=2, max_size=4)
FORMAT = {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": False}}


@some.composite
def tool_turns(draw: Any) -> list[dict[str, Any]]:
    """The model's calls, in parallel, and the user's turn that gives back all of their results."""
    ids = draw(some.lists(NAMES, min_size=1, max_size=3, unique=True))
    calls = [{"type": "tool_use", "id": one, "name": draw(NAMES), "input": draw(ARGUMENTS)} for one in ids]
    texts = [{"type": "text", "text": draw(TEXT)}] if draw(some.booleans()) else []
    results = [{"type": "tool_result", "tool_use_id": one, "content": draw(TEXT)} for one in ids]
    return [{"role": "assistant", "content": [*texts, *calls]}, {"role": "user", "content": results}]


@some.composite
def requests(draw: Any) -> dict[str, Any]:
    """Messages requests of what every dialect can say."""
    body: dict[str, Any] = {"model": "m", "max_tokens": draw(some.integers(1, 10**6)), "messages": []}
    for _ in range(draw(some.integers(1, 3))):
        body["messages"] += [{"role": "user", "content": draw(SAID)}, {"role": "assistant", "content": draw(TEXT)}]
    body["messages"] += [{"role": "user", "content": draw(TEXT)}, *draw(some.just([]) | tool_turns())]
    if draw(some.booleans()):
        body["system"] = draw(TEXT)
    if names := draw(some.lists(NAMES, max_size=3, unique=True)):
        schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
        schema["additionalProperties"] = False
        body["tools"] = [{"name": name, "description": draw(TEXT), "input_schema": schema} for name in names]
        body["tools"][0]["strict"] = draw(some.booleans())
        choices = [{"type": "auto"}, {"type": "any"}, {"type": "none"}, {"type": "tool", "name": names[0]}]
        body["tool_choice"] = draw(some.sampled_from(choices))
    for name, values in (("temperature", some.floats(0, 1)), ("top_p", some.floats(0, 1))):
        if draw(some.booleans()):
            body[name] = draw(values)
    if draw(some.booleans()):
        body["metadata"] = {"user_id": draw(TEXT)}
    if draw(some.booleans()):
        body["output_config"] = {"format": FORMAT}
    if draw(some.booleans()):
        body["stream"] = True
    return body


def plain(body: Any) -> Any:
    """Whether a provider keeps an answer has another default in each dialect, and strictness of tools too."""
    body = json.loads(body) if isinstance(body, bytes) else body
    for tool in body.get("tools", ()):
        function = tool.get("function", tool)
        function.setdefault("strict", False)
    named = body.get("output_config", {}).get("format") or body.get("text", {}).get("format")
    return {name: value for name, value in body.items() if name != "store"}, named and named["schema"]


@pytest.mark.parametrize(("client", "upstream"), [pair for pair in PAIRS if pair[0] != pair[1]])
@settings(max_examples=60)
@given(body=requests())
def test_a_request_comes_back_as_it_was(ask: Any, client: str, upstream: str, body: dict[str, Any]) -> None:
    model = {"efforts": (), "thinking": frozenset(), "max_output": None}
    asked = json.dumps(body).encode() if client == "anthropic" else ask("anthropic", client, body, **model).body
    there = ask(client, upstream, asked, **model)
    back = ask(upstream, client, there.body, **model)
    expected = json.loads(asked) | {"model": f"{client}-model"}
    assert plain(back.body) == plain(expected)
    assert set(there.dropped) | set(back.dropped) <= {"store"}
    assert (there.adapted, back.adapted) == ((), ())


@some.composite
def messages(draw: Any) -> dict[str, Any]:
    """Messages answers in the order in which every dialect tells them: a text, then calls."""
    content: list[Any] = [{"type": "text", "text": draw(TEXT)}] if draw(some.booleans()) else []
    ids = draw(some.lists(NAMES, max_size=3, unique=True))
    content += [{"type": "tool_use", "id": one, "name": draw(NAMES), "input": draw(ARGUMENTS)} for one in ids]
    stop = "tool_use" if ids else draw(some.sampled_from(["end_turn", "max_tokens", "refusal"]))
    short, read, fresh, thought, output = (draw(some.integers(0, 10**6)) for _ in range(5))
    usage = {"input_tokens": fresh, "cache_creation_input_tokens": short, "cache_read_input_tokens": read}
    usage["cache_creation"] = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": 0}  # type: ignore[assignment]
    usage |= {"output_tokens": output + thought, "output_tokens_details": {"thinking_tokens": thought}}  # type: ignore[dict-item]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content}
    return message | {"stop_reason": stop, "stop_sequence": None, "usage": usage}


@pytest.mark.parametrize("client", ["chat", "responses"])
@settings(max_examples=100)
@given(message=messages())
def test_an_answer_comes_back_as_it_was(answer: Any, client: str, message: dict[str, Any]) -> None:
    there = answer("anthropic", client).whole(json.dumps(message).encode())
    back = json.loads(answer(client, "anthropic").whole(there))
    assert back | {"id": "msg_1"} == message
