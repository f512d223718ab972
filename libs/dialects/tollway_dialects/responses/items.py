"""The events that one output item of a response consists of; called by `replay` for every item."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# kind of a tool call -> the field that comes in pieces, and the events' name
_CALLS = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
}
# kind of a part -> the field that comes in pieces, and the events' name
_PARTS = {
    "output_text": ("text", "response.output_text"),
    "refusal": ("refusal", "response.refusal"),
    "reasoning_text": ("text", "response.reasoning_text"),
}
_SUMMARY = "response.reasoning_summary"


def item_events(index: int, item: Json) -> list[Json]:
    """Return an item's events, from `output_item.added` to `output_item.done`, without sequence numbers."""
    kind = item["type"]
    at = {"item_id": item.get("id", ""), "output_index": index}
    opening, middle = item, []
    if kind == "message":
        opening = item | {"status": "in_progress", "content": []}
        middle = _content(at, item["content"])
    elif kind == "reasoning":
        opening, middle = _reasoning(at, item)
    elif kind in _CALLS:
        field, name = _CALLS[kind]
        opening = item | {field: ""} | ({"status": "in_progress"} if "status" in item else {})
        middle = _grown(name, at, field, item[field])
    return [
        {"type": "response.output_item.added", "output_index": index, "item": opening},
        *middle,
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def _reasoning(at: Json, item: Json) -> tuple[Json, list[Json]]:
    opening = item | {"summary": []}
    opening |= {"content": []} if item.get("content") else {}
    opening |= {"status": "in_progress"} if item.get("status") else {}
    opening |= {"encrypted_content": None} if "encrypted_content" in item else {}  # as with providers: told at its end
    events = []
    for number, part in enumerate(item["summary"]):
        here = at | {"summary_index": number}
        empty = part | {"text": ""}
        events.append({"type": f"{_SUMMARY}_part.added", **here, "part": empty})
        events += _grown(f"{_SUMMARY}_text", here, "text", part["text"])
        events.append({"type": f"{_SUMMARY}_part.done", **here, "part": part})
    return opening, events + _content(at, item.get("content") or [])


def _content(at: Json, parts: list[Json]) -> list[Json]:
    events = []
    for number, part in enumerate(parts):
        field, name = _PARTS[part["type"]]
        here = at | {"content_index": number}
        is_text = part["type"] == "output_text"
        annotations = part.get("annotations") or []
        empty = part | {field: ""} | ({"annotations": []} if is_text else {})
        if part.get("logprobs"):
            empty["logprobs"] = []
        probable = {"logprobs": part.get("logprobs") or []} if is_text else {}
        delta, done = _grown(name, here | probable, field, part[field])
        events += [
            {"type": "response.content_part.added", **here, "part": empty},
            delta,
            *(
                {"type": f"{name}.annotation.added", **here, "annotation_index": place, "annotation": annotation}
                for place, annotation in enumerate(annotations)
            ),
            done,
            {"type": "response.content_part.done", **here, "part": part},
        ]
    return events


def _grown(name: str, at: Json, field: str, text: str) -> list[Json]:
    return [{"type": f"{name}.delta", **at, "delta": text}, {"type": f"{name}.done", **at, field: text}]
