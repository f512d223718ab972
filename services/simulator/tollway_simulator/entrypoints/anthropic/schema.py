"""The body that messages and token counts have in common, as types; which values go together is for `validation`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from tollway_simulator.entrypoints.anthropic.provider import explain
from tollway_simulator.entrypoints.bodies import NOT_JSON


class CacheControl(msgspec.Struct):
    """A mark: what is before it is to be kept in the prompt cache."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class Part(msgspec.Struct):
    """A content block of any type; which fields it needs is for `blocks` to check."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw()
    tool_use_id: str | None = None
    content: msgspec.Raw = msgspec.Raw()
    source: msgspec.Raw = msgspec.Raw()
    citations: msgspec.Raw = msgspec.Raw()
    cache_control: CacheControl | None = None


Content = str | list[Part]


class Message(msgspec.Struct):
    """One turn of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: Content


class ToolSpec(msgspec.Struct):
    """A tool; those without a schema run at the provider and are never called here."""

    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: msgspec.Raw = msgspec.Raw()
    cache_control: CacheControl | None = None


class ToolChoice(msgspec.Struct):
    """Which tool may or must be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class Thinking(msgspec.Struct):
    """Whether and how the model is to think."""

    type: Literal["enabled", "adaptive", "between_tools", "disabled"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class Format(msgspec.Struct):
    """What the text of the answer has to be."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(msgspec.Struct):
    """How much effort the answer gets, and its format."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: Format | None = None


class Metadata(msgspec.Struct):
    """Who asks."""

    user_id: str | None = None


class Request(msgspec.Struct):
    """The fields that matter here; all others are allowed."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    messages: Annotated[list[Message], msgspec.Meta(min_length=1, max_length=100_000)]
    max_tokens: Annotated[int, msgspec.Meta(ge=0)] | msgspec.UnsetType = msgspec.UNSET
    system: Content | None = None
    stream: bool | None = None
    tools: list[ToolSpec] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None
    stop_sequences: list[str] | None = None
    cache_control: CacheControl | None = None
    metadata: Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    speed: Literal["standard", "fast"] | None = None
    temperature: Any = msgspec.UNSET
    top_p: Any = msgspec.UNSET
    top_k: Any = msgspec.UNSET


decoder = msgspec.json.Decoder(Request)
content_decoder = msgspec.json.Decoder(Content)


def text_of(content: Content | None, separator: str = "") -> str:
    """Return the text of a message's content: a string, or its text parts joined."""
    if content is None or isinstance(content, str):
        return content or ""
    return separator.join([part.text for part in content if part.text])


def nested_content(part: Part) -> Content:
    """Return the content of a tool_result block; other shapes count as no text."""
    raw = bytes(part.content)
    if not raw:
        return ""
    try:
        content: Content = content_decoder.decode(raw)
    except msgspec.ValidationError:
        return ""
    except NOT_JSON as error:
        raise explain(None) from error
    return content
