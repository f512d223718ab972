"""Anthropic's `GET /v1/models` and `/v1/models/{id}`; called by `routes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from tollway_simulator.domain.models import Traits, traits_of
from tollway_simulator.domain.refusal import Refusal

LINES = ("haiku", "sonnet", "opus", "fable", "mythos")


class Page(msgspec.Struct):
    """Which part of the list is asked for, from the query string."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    before_id: str | None = None
    after_id: str | None = None


def render_models(names: tuple[str, ...], query: dict[str, str]) -> bytes:
    try:
        page = msgspec.convert(query, Page, strict=False)
    except msgspec.ValidationError as error:
        raise Refusal(400, "limit: Input should be between 1 and 1000", "limit") from error
    start, end = 0, len(names)
    if page.after_id is not None:
        start = _position(names, page.after_id, "after_id") + 1
    if page.before_id is not None:
        end = _position(names, page.before_id, "before_id")
        start = max(start, end - page.limit)
    chosen = names[start : min(end, start + page.limit)]
    has_more = start > 0 if page.before_id is not None else start + len(chosen) < len(names)
    first, last = (chosen[0], chosen[-1]) if chosen else (None, None)
    data = [_model(name) for name in chosen]
    return msgspec.json.encode({"data": data, "has_more": has_more, "first_id": first, "last_id": last})


def render_model(names: tuple[str, ...], name: str) -> bytes:
    if name not in names:
        raise Refusal(404, f"model: {name}", name="not_found_error")
    return msgspec.json.encode(_model(name))


def _position(names: tuple[str, ...], name: str, param: str) -> int:
    if name not in names:
        raise Refusal(400, f"{param}: there is no such model", param)
    return names.index(name)


def _model(name: str) -> dict[str, Any]:
    traits = traits_of(name)
    lifecycle: Literal["active", "deprecated"] = "deprecated" if traits.retires else "active"
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": f"{traits.created}T00:00:00Z",
        "lifecycle": lifecycle,
        "deprecated_at": f"{traits.created}T00:00:00Z" if traits.retires else None,
        "retires_at": f"{traits.retires}T00:00:00Z" if traits.retires else None,
        "line": next((line for line in LINES if f"claude-{line}-" in name), None),
        "max_input_tokens": traits.context,
        "max_tokens": traits.max_output,
        "capabilities": _capabilities(traits),
    }


def _capabilities(traits: Traits) -> dict[str, Any]:
    yes, no = {"supported": True}, {"supported": False}
    thinking = {
        "adaptive": yes,
        "between_tools": yes,
        "disabled": no if traits.has("D") else yes,
        "enabled": no if traits.has("A") else yes,
    }
    return {
        **dict.fromkeys(("batch", "citations", "code_execution"), no),
        **dict.fromkeys(("image_input", "pdf_input", "structured_outputs"), yes),
        "context_management": {"supported": False},
        "effort": {"supported": True, **dict.fromkeys(("low", "medium", "high", "xhigh", "max"), yes)},
        "server_tools": {"supported": False, "code_execution": no, "web_search": no},
        "thinking": {"supported": True, "types": thinking},
    }
