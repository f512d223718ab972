"""
What each target cannot say: dropped and listed, or refused where dropping would change what is meant.

The writers leave out what stands here; docs/translation.md has the same table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.features import Feature

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN_ODDS = {
    Feature.FREQUENCY_PENALTY,
    Feature.PRESENCE_PENALTY,
    Feature.LOGIT_BIAS,
    Feature.LOGPROBS,
    Feature.TOP_LOGPROBS,
}
# of Anthropic's own: nobody else has a field for it
_ANTHROPIC_ALONE = {
    Feature.CACHE_CONTROL,
    Feature.CITATIONS,
    Feature.DOCUMENT_CONTEXT,
    Feature.SEARCH_RESULT,
    Feature.ANTHROPIC_THINKING,
    Feature.ANTHROPIC_TOOLS,
    Feature.BILLING_HEADER,
}

DROPS: Mapping[Dialect, frozenset[Feature]] = {
    Dialect.ANTHROPIC_MESSAGES: frozenset(
        _TOKEN_ODDS
        | {Feature.SEED, Feature.IMAGE_DETAIL, Feature.SPEAKER_NAME, Feature.PHASE}
        | {Feature.CHAT_THINKING, Feature.RESPONSES_THINKING, Feature.GEMINI_THINKING, Feature.RESPONSES_TOOLS}
    ),
    Dialect.OPENAI_CHAT: frozenset(
        _ANTHROPIC_ALONE
        | {Feature.TOP_K, Feature.OPEN_SCHEMA, Feature.STOP_BEYOND_FOUR, Feature.SHOWN_THINKING, Feature.PHASE}
        | {Feature.RESPONSES_THINKING, Feature.GEMINI_THINKING, Feature.RESPONSES_TOOLS}
    ),
    Dialect.OPENAI_RESPONSES: frozenset(
        _ANTHROPIC_ALONE
        | _TOKEN_ODDS
        | {Feature.TOP_K, Feature.OPEN_SCHEMA, Feature.SEED, Feature.STOP, Feature.SPEAKER_NAME}
        | {Feature.CHAT_THINKING, Feature.GEMINI_THINKING}
    ),
    Dialect.GEMINI: frozenset(
        _ANTHROPIC_ALONE
        | _TOKEN_ODDS
        | {Feature.PARALLEL_TOOL_CALLS, Feature.STRICT_TOOLS, Feature.END_USER, Feature.DOCUMENT_NAME}
        | {Feature.IMAGE_DETAIL, Feature.SPEAKER_NAME, Feature.PHASE}
        | {Feature.CHAT_THINKING, Feature.RESPONSES_THINKING, Feature.RESPONSES_TOOLS}
    ),
}

REFUSES: Mapping[Dialect, frozenset[Feature]] = {
    Dialect.ANTHROPIC_MESSAGES: frozenset(
        {Feature.CHOICES, Feature.JSON_OBJECT, Feature.OPENAI_FILE, Feature.DOCUMENT_KIND}
    ),
    Dialect.OPENAI_CHAT: frozenset({Feature.ANTHROPIC_FILE, Feature.DOCUMENT_URL}),
    Dialect.OPENAI_RESPONSES: frozenset({Feature.CHOICES, Feature.ANTHROPIC_FILE}),
    Dialect.GEMINI: frozenset(
        {Feature.CHOICES, Feature.IMAGE_URL, Feature.DOCUMENT_URL, Feature.ANTHROPIC_FILE, Feature.OPENAI_FILE}
    ),
}

WHY: Mapping[Feature, str] = {
    Feature.CHOICES: "must be 1: the model's provider gives one answer",
    Feature.JSON_OBJECT: "json_object needs a schema at the model's provider: use json_schema",
    Feature.OPENAI_FILE: "a file that OpenAI keeps does not leave it: send the bytes",
    Feature.ANTHROPIC_FILE: "a file that Anthropic keeps does not leave it: send the bytes",
    Feature.DOCUMENT_KIND: "a document must be a PDF or a text",
    Feature.IMAGE_URL: "the model's provider fetches no images: send the bytes in base64",
    Feature.DOCUMENT_URL: "the model's provider fetches no documents: send the bytes in base64",
}
"""What a refusal says, and what to do."""
