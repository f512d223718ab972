"""A whole response object as an event stream and back; used when the cache answers in the other form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.responses.items import item_events
from tollway_dialects.sse import EventSplitter, event_data, format_event

if TYPE_CHECKING:
    from tollway_dialects.usage import Usage

Json = dict[str, Any]

# what is not known of a response before its end
_AT_START: Json = {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
_FINAL = ("response.completed", "response.incomplete")


def to_events(body: bytes) -> bytes:
    """Return the stream that says the same as a JSON answer, one delta a text."""
    answer: Json = msgspec.json.decode(body)
    final = f"response.{answer['status']}"
    if final not in _FINAL:
        raise ValueError(f"a response of status {answer['status']!r} has no final event")
    opening = answer | _AT_START
    if "completed_at" in answer:
        opening["completed_at"] = None
    events: list[Json] = [{"type": kind, "response": opening} for kind in ("response.created", "response.in_progress")]
    for index, item in enumerate(answer["output"]):
        events += item_events(index, item)
    events.append({"type": final, "response": answer})
    return b"".join(
        [
            format_event(msgspec.json.encode(event | {"sequence_number": number}), event["type"])
            for number, event in enumerate(events)
        ]
    )


def from_events(events: bytes, usage: Usage) -> bytes:
    """Return the JSON answer that a complete stream ends in; `usage` stands in where the stream does not tell it."""
    answer: Json | None = None
    items: dict[int, Json] = {}
    for event in EventSplitter().feed(events):
        data = event_data(event)
        if not data or data == b"[DONE]":
            continue
        seen = msgspec.json.decode(data)
        if seen["type"] == "response.output_item.done":
            items[seen["output_index"]] = seen["item"]
        elif seen["type"] in _FINAL:
            answer = seen["response"]
    if answer is None:
        raise ValueError("the stream has no final event")
    # an item's own final event has all of it; the final one may leave its encrypted reasoning out, or every item
    answer["output"] = [items.get(index, item) for index, item in enumerate(answer["output"])] or list(items.values())
    if not answer.get("usage"):
        answer["usage"] = usage_fields(usage)
    return msgspec.json.encode(answer)


def usage_fields(usage: Usage) -> Json:
    """Return counts as this dialect tells them."""
    written = {"ttl_30m_tokens": usage.cache_write_short, "ttl_12h_tokens": usage.cache_write_long}
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_short + usage.cache_write_long,
            "cache_write_tokens_details": written,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }
