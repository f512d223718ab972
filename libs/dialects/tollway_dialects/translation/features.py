"""What a request may ask for that some dialect cannot say, and which of it a given request asks for."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import (
    Document,
    Foreign,
    Image,
    Media,
    Refusal,
    SearchResult,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)
from tollway_dialects.translation.wire.data_urls import text_in
from tollway_dialects.translation.wire.strict_schema import fits_strict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.parts import Part
    from tollway_dialects.translation.form.request import Request

BILLING = "x-anthropic-billing-header:"
"""How Claude Code's first system block begins: it differs from start to start, and concerns Anthropic alone."""


class Feature(StrEnum):
    """Each is named as `X-Gateway-Dropped` names it."""

    TEMPERATURE = "temperature"
    TOP_P = "top_p"
    TOP_K = "top_k"
    SEED = "seed"
    FREQUENCY_PENALTY = "frequency_penalty"
    PRESENCE_PENALTY = "presence_penalty"
    LOGIT_BIAS = "logit_bias"
    LOGPROBS = "logprobs"
    TOP_LOGPROBS = "top_logprobs"
    CHOICES = "n"
    STOP = "stop"
    STOP_BEYOND_FOUR = "stop beyond four"
    PARALLEL_TOOL_CALLS = "parallel_tool_calls"
    STRICT_TOOLS = "tools.strict"
    OPEN_SCHEMA = "strict for an open schema"
    JSON_OBJECT = "json_object"
    END_USER = "user"
    CACHE_CONTROL = "cache_control"
    CITATIONS = "citations"
    DOCUMENT_CONTEXT = "document.context"
    DOCUMENT_URL = "document.url"
    DOCUMENT_KIND = "document.kind"
    DOCUMENT_NAME = "document.title"
    SEARCH_RESULT = "search_result"
    IMAGE_URL = "image.url"
    IMAGE_DETAIL = "image.detail"
    ANTHROPIC_FILE = "files of Anthropic"
    OPENAI_FILE = "files of OpenAI"
    ANTHROPIC_THINKING = "thinking of Anthropic"
    CHAT_THINKING = "reasoning_content"
    RESPONSES_THINKING = "reasoning of OpenAI"
    GEMINI_THINKING = "thinking of Gemini"
    ANTHROPIC_TOOLS = "server tools of Anthropic"
    RESPONSES_TOOLS = "server tools of OpenAI"
    SPEAKER_NAME = "messages.name"
    PHASE = "input.phase"
    BILLING_HEADER = "x-anthropic-billing-header"
    SHOWN_THINKING = "thinking.display"


_FILES = {Dialect.ANTHROPIC_MESSAGES: Feature.ANTHROPIC_FILE}
_THOUGHTS = {
    Dialect.ANTHROPIC_MESSAGES: Feature.ANTHROPIC_THINKING,
    Dialect.OPENAI_CHAT: Feature.CHAT_THINKING,
    Dialect.OPENAI_RESPONSES: Feature.RESPONSES_THINKING,
    Dialect.GEMINI: Feature.GEMINI_THINKING,
}
_FOREIGN = {Dialect.ANTHROPIC_MESSAGES: Feature.ANTHROPIC_TOOLS, Dialect.OPENAI_RESPONSES: Feature.RESPONSES_TOOLS}


def used_features(request: Request) -> list[Feature]:
    """Return what a request asks for, in the order in which it does."""
    return list(dict.fromkeys((*_settings(request), *_of_prompt(request))))


def _of_prompt(request: Request) -> Iterator[Feature]:
    for text in request.system:
        yield from _of_text(text)
    for turn in request.turns:
        if turn.name:
            yield Feature.SPEAKER_NAME
        if turn.phase:
            yield Feature.PHASE
        for part in turn.parts:
            yield from _of_part(part)


def _settings(request: Request) -> Iterator[Feature]:
    for name, value in msgspec.structs.asdict(request.sampling).items():
        if value is not None:
            yield Feature(name)
    if request.choices is not None and request.choices != 1:
        yield Feature.CHOICES
    if request.stop:
        yield Feature.STOP
    if len(request.stop) > 4:
        yield Feature.STOP_BEYOND_FOUR
    if request.parallel is not None:
        yield Feature.PARALLEL_TOOL_CALLS
    if any(tool.strict for tool in request.tools):
        yield Feature.STRICT_TOOLS
    if request.format and request.format.schema is None:
        yield Feature.JSON_OBJECT
    schemas = [tool.schema for tool in request.tools if tool.strict]
    schemas += [request.format.schema] if request.format and request.format.schema and not request.format.name else []
    if not all(map(fits_strict, schemas)):
        yield Feature.OPEN_SCHEMA
    if request.end_user is not None:
        yield Feature.END_USER
    if request.cache is not None or any(tool.cache is not None for tool in request.tools):
        yield Feature.CACHE_CONTROL
    if request.thinking.shown:
        yield Feature.SHOWN_THINKING


def _of_text(text: Text) -> Iterator[Feature]:
    if text.cache is not None:
        yield Feature.CACHE_CONTROL
    if text.citations:
        yield Feature.CITATIONS
    if text.text.startswith(BILLING):
        yield Feature.BILLING_HEADER


def _of_part(part: Part) -> Iterator[Feature]:
    if not isinstance(part, Refusal | Thought | Foreign | Text) and part.cache is not None:
        yield Feature.CACHE_CONTROL
    match part:
        case Text():
            yield from _of_text(part)
        case Image():
            if part.detail is not None:
                yield Feature.IMAGE_DETAIL
            yield from _of_media(part.media, Feature.IMAGE_URL)
        case Document():
            yield from _of_document(part)
        case SearchResult():
            yield Feature.SEARCH_RESULT
        case Thought():
            yield _THOUGHTS[part.origin]
        case ToolResult():
            for inner in part.parts:
                yield from _of_part(inner)
        case Foreign():
            yield _FOREIGN[part.origin]
        case ToolCall() | Refusal():
            pass


def _of_media(media: Media, url: Feature) -> Iterator[Feature]:
    if media.kind == "url":
        yield url
    elif media.kind == "file":
        yield _FILES.get(media.keeper or Dialect.OPENAI_CHAT, Feature.OPENAI_FILE)


def _of_document(part: Document) -> Iterator[Feature]:
    if part.context is not None:
        yield Feature.DOCUMENT_CONTEXT
    if part.name is not None:
        yield Feature.DOCUMENT_NAME
    if part.is_cited:
        yield Feature.CITATIONS
    if part.media:
        if part.media.kind == "data" and part.media.mime != "application/pdf" and text_in(part.media) is None:
            yield Feature.DOCUMENT_KIND
        yield from _of_media(part.media, Feature.DOCUMENT_URL)
    for inner in part.parts:
        yield from _of_part(inner)
