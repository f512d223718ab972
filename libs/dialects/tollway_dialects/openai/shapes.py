"""The parts of OpenAI chat answers and chunks that the gateway reads; everything else passes unread."""

from __future__ import annotations

from typing import Any

import msgspec

from tollway_dialects.usage import Usage

# reasons to stop that leave a choice whole
WHOLE = frozenset({"stop", "length"})


class PromptDetails(msgspec.Struct):
    """Parts of the prompt that the provider's cache served or took."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class CompletionDetails(msgspec.Struct):
    """What the completion consisted of."""

    reasoning_tokens: int | None = None


class OpenAIUsage(msgspec.Struct):
    """`usage`; any field may be null or absent."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None
    """DeepSeek's name for cached_tokens."""

    def normalised(self) -> Usage:
        prompt = self.prompt_tokens_details or PromptDetails()
        read, written = prompt.cached_tokens or self.prompt_cache_hit_tokens or 0, prompt.cache_write_tokens or 0
        details = self.completion_tokens_details
        return Usage(
            uncached_input=max(0, (self.prompt_tokens or 0) - read - written),
            cache_write_short=written,
            cache_read=read,
            output=self.completion_tokens or 0,
            reasoning=(details.reasoning_tokens or 0) if details else 0,
        )


class ToolFunction(msgspec.Struct):
    """A piece of a tool call."""

    arguments: str | None = None


class ToolCall(msgspec.Struct):
    """A tool call in a delta."""

    function: ToolFunction | None = None


class Delta(msgspec.Struct):
    """What a chunk adds."""

    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None

    def text(self) -> str:
        said = (self.content or "") + (self.refusal or "") + (self.reasoning_content or "")
        if not self.tool_calls:
            return said
        return said + "".join((call.function.arguments or "") for call in self.tool_calls if call.function)


class Choice(msgspec.Struct):
    """One choice, of an answer or a chunk."""

    delta: Delta | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    """A whole answer or a chunk of a stream."""

    choices: list[Choice] = []
    usage: OpenAIUsage | None = None
    error: Any = None


def merge_stop_reason(known: str | None, seen: str | None) -> str | None:
    """Return the one reason that stands for several choices: one that is not whole outweighs those that are."""
    if not seen or (known and known not in WHOLE):
        return known
    return seen
