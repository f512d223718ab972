"""A whole Gemini answer as an event stream and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.sse import EventSplitter, event_data, format_event

if TYPE_CHECKING:
    from tollway_dialects.usage import Usage

Json = dict[str, Any]


def to_events(body: bytes) -> bytes:
    """Return the stream that says the same as a JSON answer: one chunk, of the same shape."""
    return format_event(msgspec.json.encode(msgspec.json.decode(body)))


def from_events(events: bytes, usage: Usage) -> bytes:
    """Return the JSON answer that a complete stream adds up to; `usage` stands in where the stream does not tell it."""
    answer: Json = {}
    candidates: dict[int, Json] = {}
    for event in EventSplitter().feed(events):
        if data := event_data(event):
            chunk: Json = msgspec.json.decode(data)
            for seen in chunk.pop("candidates", None) or ():
                _apply(candidates.setdefault(seen.get("index", 0), {}), seen)
            answer |= chunk
    if candidates:
        answer = {"candidates": [candidates[index] for index in sorted(candidates)]} | answer
    answer.setdefault("usageMetadata", usage_fields(usage))
    return msgspec.json.encode(answer)


def _apply(candidate: Json, seen: Json) -> None:
    content = seen.get("content") or {}
    known = candidate.get("content") or {}
    parts: list[Json] = known.get("parts", [])
    for part in content.get("parts") or ():
        if parts and _goes_on(parts[-1], part):
            parts[-1] = parts[-1] | {"text": parts[-1]["text"] + part["text"]}
        else:
            parts.append(part)
    candidate |= seen
    if content or known:
        candidate["content"] = known | content | {"parts": parts}


def _goes_on(last: Json, part: Json) -> bool:
    """Say whether a part is more of the text before it: nothing but text, and of the same kind."""
    kinds = ({"text"}, {"text", "thought"})
    return last.keys() == part.keys() and part.keys() in kinds and last.get("thought") == part.get("thought")


def usage_fields(usage: Usage) -> Json:
    """Return counts as this dialect tells them."""
    return {
        "promptTokenCount": usage.input,
        "cachedContentTokenCount": usage.cache_read,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": usage.total,
    }
