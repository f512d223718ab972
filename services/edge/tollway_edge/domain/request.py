"""The step that opens a request: what the gateway must know of it, and what it asks of the provider on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from tollway_dialects.dialect import Dialect
from tollway_dialects.prompt import conversation_hash
from tollway_dialects.request import MalformedRequest, RequestBody

if TYPE_CHECKING:
    from tollway_edge.domain.call import Call

LONGEST_MODEL = 256
MOST = 2**31 - 1


class PromptReference(msgspec.Struct):
    """`prompt` in a request: a published system prompt that goes before the client's."""

    id: str
    version: int = 0
    variables: dict[str, str] = {}


def read_request(call: Call, raw: bytes) -> RequestBody:
    """Parse the body and note what routing and metering need; raises `MalformedRequest`."""
    call.body = body = RequestBody.parse(raw)
    call.requested_model = body.get("model", str) or ""
    call.is_stream = body.get("stream", bool) or False
    call.max_tokens = _token_limit(body)
    if not call.requested_model:
        raise MalformedRequest("model: field required")
    if len(call.requested_model) > LONGEST_MODEL:
        raise MalformedRequest(f"model: must be at most {LONGEST_MODEL} characters")
    if call.dialect is Dialect.OPENAI_CHAT and call.is_stream:
        _ask_for_usage(call, body)
    workspace = call.workspace.name if call.workspace else ""
    call.conversation = call.conversation_id.encode() or conversation_hash(body, workspace)
    return body


def choices_asked_for(body: RequestBody) -> int:
    """Return how many answers the provider is asked for; raises `MalformedRequest`."""
    return _bounded("n", body.get("n", int)) or 1


def read_prompt_reference(body: RequestBody) -> PromptReference | None:
    """Return what `prompt` names; raises `MalformedRequest`."""
    try:
        return body.get("prompt", PromptReference)
    except MalformedRequest:
        expected = "must be an object with id, and optionally version (a number) and variables (strings)"
        raise MalformedRequest(f"prompt: {expected}") from None


def _token_limit(body: RequestBody) -> int | None:
    """Return the larger of both limits: which of them counts is for the provider to say."""
    names = ("max_tokens", "max_completion_tokens")
    return max((limit for name in names if (limit := _bounded(name, body.get(name, int)))), default=None)


def _bounded(name: str, value: int | None) -> int | None:
    if value is not None and not 0 <= value <= MOST:
        raise MalformedRequest(f"{name}: must be from 0 to {MOST}")
    return value


def _ask_for_usage(call: Call, body: RequestBody) -> None:
    """Streams tell their usage only when asked: ask always, and take it out again where the client did not."""
    options: dict[str, Any] = body.get("stream_options", dict[str, Any]) or {}
    call.wants_usage_event = options.get("include_usage") is True
    if not call.wants_usage_event:
        body.set("stream_options", options | {"include_usage": True}, "stream_options")
        call.strips_usage_event = True
