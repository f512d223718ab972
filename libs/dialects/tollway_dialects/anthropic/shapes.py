"""The parts of Anthropic's answers and events that the gateway reads; everything else passes unread."""

from __future__ import annotations

import msgspec

from tollway_dialects.usage import Usage


class CacheCreation(msgspec.Struct, gc=False):
    """How cache writes split over the two lifetimes."""

    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class OutputDetails(msgspec.Struct, gc=False):
    """What the output consisted of."""

    thinking_tokens: int | None = None


class AnthropicUsage(msgspec.Struct, gc=False):
    """`usage`; any field may be null or absent."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None


class Answer(msgspec.Struct, gc=False):
    """A whole JSON answer."""

    usage: AnthropicUsage | None = None
    stop_reason: str | None = None


class Delta(msgspec.Struct, gc=False):
    """What a delta event adds."""

    text: str = ""
    thinking: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class ErrorDetail(msgspec.Struct, gc=False):
    """What an error event says."""

    type: str = "api_error"


class Event(msgspec.Struct, gc=False):
    """Any event of a stream."""

    type: str = ""
    message: Answer | None = None
    delta: Delta | None = None
    usage: AnthropicUsage | None = None
    error: ErrorDetail | None = None


def merge_usage(known: Usage, seen: AnthropicUsage) -> Usage:
    """Return `known` with every count that `seen` tells; counts in a stream are cumulative, an explicit 0 counts."""

    short, long = known.cache_write_short, known.cache_write_long
    if split := seen.cache_creation:
        short = short if split.ephemeral_5m_input_tokens is None else split.ephemeral_5m_input_tokens
        long = long if split.ephemeral_1h_input_tokens is None else split.ephemeral_1h_input_tokens
    if (written := seen.cache_creation_input_tokens) is not None:  # the sum; what is not known as long is short
        if long:
            long = min(long, written)
        short = written - long
    thought = seen.output_tokens_details.thinking_tokens if seen.output_tokens_details else None
    return Usage(
        uncached_input=known.uncached_input if seen.input_tokens is None else seen.input_tokens,
        cache_write_short=short,
        cache_write_long=long,
        cache_read=known.cache_read if seen.cache_read_input_tokens is None else seen.cache_read_input_tokens,
        output=known.output if seen.output_tokens is None else seen.output_tokens,
        reasoning=known.reasoning if thought is None else thought,
    )
