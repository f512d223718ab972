"""A whole OpenAI chat answer as a chunk stream and back; used when the cache answers in the other form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.sse import EventSplitter, event_data, format_event

if TYPE_CHECKING:
    from tollway_dialects.usage import Usage

Json = dict[str, Any]

# what a chunk and a whole answer do not share
_OWN = frozenset({"object", "choices", "usage", "obfuscation", "error"})
_PART = frozenset({"index", "message", "delta", "logprobs", "finish_reason"})
# fields of a message that a stream sends in pieces of text
_GROWING = frozenset({"content", "refusal", "reasoning_content", "reasoning"})


def to_events(body: bytes, *, with_usage: bool) -> bytes:
    """Return the stream that says the same as a JSON answer: role, content, finish for each choice."""
    answer: Json = msgspec.json.decode(body)
    common = _less(answer, _OWN) | {"object": "chat.completion.chunk"}
    chunks = []
    for choice in answer["choices"]:
        chunks += [common | {"choices": [part]} for part in _parts(choice)]
    if with_usage:
        chunks = [chunk | {"usage": None} for chunk in chunks]
        chunks.append(common | {"choices": [], "usage": answer.get("usage")})
    return b"".join([format_event(msgspec.json.encode(chunk)) for chunk in chunks]) + format_event(b"[DONE]")


def from_events(events: bytes, usage: Usage) -> bytes:
    """Return the JSON answer that a complete stream adds up to; `usage` stands in where the stream does not tell it."""
    answer: Json = {"object": "chat.completion", "choices": []}
    choices: dict[int, Json] = {}
    for event in EventSplitter().feed(events):
        data = event_data(event)
        if not data or data == b"[DONE]":
            continue
        chunk = msgspec.json.decode(data)
        answer.update(_less(chunk, _OWN))
        if chunk.get("usage"):
            answer["usage"] = chunk["usage"]
        for part in chunk["choices"]:
            _apply(choices.setdefault(part["index"], _empty_choice(part["index"])), part)
    answer["choices"] = [choices[index] for index in sorted(choices)]
    answer.setdefault("usage", usage_fields(usage))
    return msgspec.json.encode(answer)


def usage_fields(usage: Usage) -> Json:
    """Return counts as this dialect tells them."""
    written = usage.cache_write_short + usage.cache_write_long
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def _empty_choice(index: int) -> Json:
    return {"index": index, "message": {"role": "assistant", "content": None}, "logprobs": None, "finish_reason": None}


def _apply(choice: Json, part: Json) -> None:
    message, delta = choice["message"], part.get("delta") or {}
    for name, value in delta.items():
        if value is None or name == "role":
            continue
        if name in _GROWING:
            message[name] = (message.get(name) or "") + value
        elif name == "annotations":
            message[name] = [*message.get(name, []), *value]
        elif name == "tool_calls":
            for piece in value:
                _apply_tool(message.setdefault(name, []), piece)
        else:
            raise ValueError(f"unknown field {name!r} of a delta")
    if logprobs := part.get("logprobs"):
        known = choice["logprobs"] or {}
        choice["logprobs"] = known | {
            name: [*(known.get(name) or []), *entries] for name, entries in logprobs.items() if entries
        }
    choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]
    choice.update({name: value for name, value in _less(part, _PART).items() if value is not None})


def _less(values: Json, names: frozenset[str]) -> Json:
    return {name: value for name, value in values.items() if name not in names}


def _apply_tool(calls: list[Json], piece: Json) -> None:
    if "custom" in piece:
        raise ValueError("a custom tool's call")
    if piece["index"] == len(calls):
        calls.append({"function": {"arguments": ""}})
    call = calls[piece["index"]]
    call.update({name: piece[name] for name in ("id", "type") if piece.get(name)})
    function = piece.get("function") or {}
    if function.get("name"):
        call["function"]["name"] = function["name"]
    call["function"]["arguments"] += function.get("arguments") or ""


def _parts(choice: Json) -> list[Json]:
    """Return one choice as chunk choices: its opening, its content, its end."""
    index, message = choice["index"], choice["message"]
    said = {name: value for name, value in message.items() if value not in (None, []) and name != "role"}
    if "tool_calls" in said:
        said["tool_calls"] = [{"index": number, **call} for number, call in enumerate(said["tool_calls"])]
    opening = {"role": "assistant", "content": "" if said.get("content") is not None else None}
    content = {"index": index, "delta": said, "finish_reason": None}
    if choice.get("logprobs"):
        content["logprobs"] = choice["logprobs"]
    return [
        {"index": index, "delta": opening, "finish_reason": None},
        content,
        {**_less(choice, _PART), "index": index, "delta": {}, "finish_reason": choice.get("finish_reason")},
    ]
