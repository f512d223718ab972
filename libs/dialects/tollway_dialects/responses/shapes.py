"""The parts of OpenAI's response objects and events that the gateway reads; everything else passes unread."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from tollway_dialects.usage import Usage

Shape = TypeVar("Shape")

COMPLETED = "completed"
# output that is whole as it stands; any other item is a tool's, and somebody is waited for or was asked meanwhile
_PLAIN_ITEMS = frozenset({"message", "reasoning"})


class CacheWrites(msgspec.Struct):
    """How cache writes split over the two lifetimes."""

    ttl_30m_tokens: int | None = None
    ttl_12h_tokens: int | None = None


class InputDetails(msgspec.Struct):
    """Parts of the input that the provider's cache served or took."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_tokens_details: CacheWrites | None = None


class OutputDetails(msgspec.Struct):
    """What the output consisted of."""

    reasoning_tokens: int | None = None


class ResponseUsage(msgspec.Struct):
    """`usage`; any field may be null or absent."""

    input_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None

    def normalised(self) -> Usage:
        details = self.input_tokens_details or InputDetails()
        split = details.cache_write_tokens_details or CacheWrites()
        read, long = details.cached_tokens or 0, split.ttl_12h_tokens or 0
        short = split.ttl_30m_tokens or 0
        if details.cache_write_tokens is not None:  # the sum; what is not known as long is short
            long = min(long, details.cache_write_tokens)
            short = details.cache_write_tokens - long
        output = self.output_tokens_details
        return Usage(
            uncached_input=max(0, (self.input_tokens or 0) - read - short - long),
            cache_write_short=short,
            cache_write_long=long,
            cache_read=read,
            output=self.output_tokens or 0,
            reasoning=(output.reasoning_tokens or 0) if output else 0,
        )


class Part(msgspec.Struct):
    """A part of a message."""

    type: str = ""


class Item(msgspec.Struct):
    """An output item."""

    type: str = ""
    content: list[Part] | None = None


class Incomplete(msgspec.Struct):
    """Why an answer ended early."""

    reason: str | None = None


class Failed(msgspec.Struct):
    """Why there is no answer."""

    code: str | None = None


class Response(msgspec.Struct):
    """A response object, whole or in the making."""

    id: str = ""
    status: str | None = None
    incomplete_details: Incomplete | None = None
    error: Failed | None = None
    usage: ResponseUsage | None = None
    output: list[Item] = []

    def stop_reason(self) -> str | None:
        """Return why it stopped: its status, or what keeps a completed one from being an answer."""
        if self.status == "incomplete" and self.incomplete_details:
            return self.incomplete_details.reason or self.status
        if self.status != COMPLETED:
            return self.status
        for item in self.output:
            if item.type not in _PLAIN_ITEMS:
                return item.type or "unknown"
            if any(part.type == "refusal" for part in item.content or []):
                return "refusal"
        return COMPLETED


class Event(msgspec.Struct):
    """Any event of a stream."""

    type: str = ""
    sequence_number: int | None = None
    delta: str = ""
    response: Response | None = None
    code: str | None = None


_EVENT = msgspec.json.Decoder(Event)
_RESPONSE = msgspec.json.Decoder(Response)


def read_response(body: bytes) -> Response | None:
    """Return what a JSON answer tells; None where it is no JSON object."""
    try:
        return _RESPONSE.decode(body)
    except (ValueError, RecursionError):
        return _loose_response(_loose(body))


def read_event(data: bytes) -> Event | None:
    """
    Return what an event tells; None where it is no JSON object.

    The final event repeats the whole answer: whatever in it is of another shape, that it is the final one counts.
    """
    try:
        return _EVENT.decode(data)
    except (ValueError, RecursionError):
        loose = _loose(data)
    if loose is None:
        return None
    return Event(
        type=str(loose.get("type")),
        sequence_number=_fitting(loose.get("sequence_number"), int),
        delta=_fitting(loose.get("delta"), str) or "",
        response=_loose_response(loose.get("response")),
        code=_fitting(loose.get("code"), str),
    )


def _loose(data: bytes) -> dict[str, Any] | None:
    """Return any JSON object, half pairs of surrogates among them, which msgspec refuses."""
    try:
        loose = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return loose if isinstance(loose, dict) else None


def _loose_response(loose: Any) -> Response | None:
    """Return as much of a response object as has the shape that is read."""
    if not isinstance(loose, dict):
        return None
    output = _fitting(loose.get("output"), list[Item])
    return Response(
        id=_fitting(loose.get("id"), str) or "",
        status=_fitting(loose.get("status"), str),
        incomplete_details=_fitting(loose.get("incomplete_details"), Incomplete),
        error=_fitting(loose.get("error"), Failed),
        usage=_fitting(loose.get("usage"), ResponseUsage),
        output=[Item()] if output is None else output,
    )


def _fitting(value: Any, shape: type[Shape]) -> Shape | None:
    try:
        return msgspec.convert(value, shape | None)
    except (ValueError, RecursionError):
        return None
