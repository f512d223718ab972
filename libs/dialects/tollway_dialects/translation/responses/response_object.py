"""The response object as it is before anything was said; what a client asked for is repeated in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tollway_dialects.translation.encoder import AnswerContext
    from tollway_dialects.translation.form.parts import Json

# fields of a request that its answer repeats, with what stands for them where they are absent
_REPEATED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
}


def response_object(context: AnswerContext, identifier: str, model: str) -> Json:
    asked: Json = msgspec.json.decode(context.request)
    repeated = {name: value if asked.get(name) is None else asked[name] for name, value in _REPEATED.items()}
    return {
        "id": identifier,
        "object": "response",
        "created_at": context.created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "previous_response_id": None,
        "store": False,  # nobody keeps it under this id
        "usage": None,
        **repeated,
    }
