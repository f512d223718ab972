"""The step that opens a request: what the gateway must know of it, and what it asks of the provider on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.dialect import Dialect
from tollway_dialects.prompt import prepend_system
from tollway_dialects.request import MalformedRequest, RequestBody

from tollway_edge.domain.known_beginnings import LEAST_BYTES

if TYPE_CHECKING:
    from tollway_edge.domain.call import Call
    from tollway_edge.domain.known_beginnings import KnownBeginnings

LONGEST_MODEL = 256
MOST = 2**31 - 1
# how the ids of prompts begin that OpenAI keeps: they are its business
_OPENAI_PROMPT = "pmpt_"
_TRUE = msgspec.Raw(b"true")


class PromptReference(msgspec.Struct):
    """`prompt` in a request: a published system prompt that goes before the client's."""

    id: str
    version: int = 0
    variables: dict[str, str] = {}


class _PromptId(msgspec.Struct):
    id: str


def read_request(call: Call, raw: bytes, beginnings: KnownBeginnings | None = None) -> RequestBody:
    """
    Parse the body and note what routing and metering need; raises `MalformedRequest`.

    Args:
        call: Gets the body.
        raw: It.
        beginnings: What is known of long ones; none where nobody needs their digest.
    """
    wire = call.wire
    if len(raw) >= LEAST_BYTES and beginnings and call.workspace:
        body = beginnings.read(raw, call.workspace.name)
    else:
        body = RequestBody.parse(raw)
    call.body = body
    model = body.get("model", str) or ""
    if len(model) > LONGEST_MODEL:  # it is noted nowhere: what is noted is kept until it is booked, and beyond
        raise MalformedRequest(f"model: must be at most {LONGEST_MODEL} characters")
    call.requested_model = model
    if wire.streams and body.get("stream", bool):
        call.is_stream = True
    call.max_tokens = _token_limit(body, wire.output_limits)
    if not call.requested_model:
        raise MalformedRequest("model: Field required")
    if call.is_stream and call.dialect is Dialect.OPENAI_CHAT:
        _ask_for_usage(call, body)
    if kept_answer := wire.kept_answer_named(body):
        call.kept_answer_id = kept_answer
    if wire.keeps_answer(body):
        call.is_kept = True
    return body


def choices_asked_for(body: RequestBody) -> int:
    """Return how many answers the provider is asked for; raises `MalformedRequest`."""
    return _bounded("n", body.get("n", int)) or 1


def name_limit(body: RequestBody, names: tuple[str, ...], most: int) -> None:
    """Bound the output in the newest of a dialect's words, where the request names no limit."""
    if names and not any(body.names(name) for name in names):
        body.set(names[-1], most, names[-1])


def put_system_prompt(call: Call, body: RequestBody, text: str) -> None:
    """Put a route's text before all others; an input that is embedded has no place for one."""
    if text and call.dialect is not Dialect.OPENAI_EMBEDDINGS:
        prepend_system(body, call.dialect, text, "system_prompt")


def read_prompt_reference(body: RequestBody) -> PromptReference | None:
    """Return what `prompt` names; None where that is OpenAI's own. Raises `MalformedRequest`."""
    try:
        named = body.get("prompt", _PromptId)
        if named is None or named.id.startswith(_OPENAI_PROMPT):
            return None
        reference = body.get("prompt", PromptReference)
    except MalformedRequest:
        expected = "must be an object with id, and optionally version (a number) and variables (strings)"
        raise MalformedRequest(f"prompt: {expected}") from None
    _bounded("prompt.version", reference.version if reference else 0)
    return reference


def _token_limit(body: RequestBody, names: tuple[str, ...]) -> int | None:
    """Return the largest of a dialect's limits: which of them counts is for the provider to say."""
    most = 0
    for name in names:
        if name in body.fields:
            limit = _bounded(name, body.get(name, int)) or 0
            most = max(most, limit) if most else limit
    return most or None


def _bounded(name: str, value: int | None) -> int | None:
    if value is not None and not 0 <= value <= MOST:
        raise MalformedRequest(f"{name}: must be from 0 to {MOST}")
    return value


def _ask_for_usage(call: Call, body: RequestBody) -> None:
    """Streams tell their usage only when asked: ask always, and take it out again where the client did not."""
    options = body.get("stream_options", dict[str, msgspec.Raw]) or {}
    call.wants_usage_event = bytes(options.get("include_usage", b"")) == b"true"
    if not call.wants_usage_event:
        body.set("stream_options", options | {"include_usage": _TRUE}, "stream_options")
        call.strips_usage_event = True
