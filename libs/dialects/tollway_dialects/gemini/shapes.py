"""The parts of Gemini's answers and chunks that the gateway reads; everything else passes unread."""

from __future__ import annotations

from typing import Any

import msgspec

from tollway_dialects.usage import Usage

CALLED = "FUNCTION_CALL"
"""Stands for the STOP of an answer that calls a function: the provider has no word of its own for it."""


class GeminiUsage(msgspec.Struct, rename="camel"):
    """`usageMetadata`; any field may be null or absent."""

    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None

    def normalised(self) -> Usage:
        """Return parts that do not overlap: the prompt's count has the cached in it, the candidates' no thoughts."""
        read, thought = self.cached_content_token_count or 0, self.thoughts_token_count or 0
        return Usage(
            uncached_input=max(0, (self.prompt_token_count or 0) - read) + (self.tool_use_prompt_token_count or 0),
            cache_read=read,
            output=(self.candidates_token_count or 0) + thought,
            reasoning=thought,
        )


class FunctionCall(msgspec.Struct):
    """A call, always whole."""

    name: str | None = None
    args: msgspec.Raw = msgspec.Raw(b"")


class Part(msgspec.Struct, rename="camel"):
    """A part of the content."""

    text: str | None = None
    function_call: FunctionCall | None = None


class Content(msgspec.Struct):
    """What a candidate says."""

    parts: list[Part] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    """One of the answers."""

    index: int = 0
    content: Content | None = None
    finish_reason: str | None = None

    def parts(self) -> list[Part]:
        return (self.content and self.content.parts) or []


class PromptFeedback(msgspec.Struct, rename="camel"):
    """What was thought of the prompt; with a reason to block it there are no candidates."""

    block_reason: str | None = None


class GeminiError(msgspec.Struct):
    """What an error says."""

    status: str | None = None


class Chunk(msgspec.Struct, rename="camel"):
    """A whole answer or a chunk of a stream."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: GeminiUsage | None = None
    error: GeminiError | None = None

    def block_reason(self) -> str | None:
        return self.prompt_feedback.block_reason if self.prompt_feedback else None


_CHUNK: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Chunk | list[Chunk])


def read_chunk(data: bytes) -> Chunk:
    """
    Return an answer or chunk; an error may come inside a list of one.

    Raises:
        ValueError, RecursionError: It is neither.
    """
    seen: Chunk | list[Chunk] = _CHUNK.decode(data)
    if isinstance(seen, Chunk):
        return seen
    if len(seen) != 1:
        raise ValueError("more than one answer at once")
    return seen[0]
