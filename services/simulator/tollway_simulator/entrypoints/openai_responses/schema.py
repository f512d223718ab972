"""The body of a response, as types; which values go together is for `validation`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec


class Part(msgspec.Struct):
    """A content part of any type."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None


Content = str | list[Part]


class Item(msgspec.Struct):
    """An input item of any type; a message may leave its type away."""

    type: str = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: Content | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: Content | None = None
    summary: list[Part] | None = None
    encrypted_content: str | None = None
    status: str | None = None
    phase: Literal["commentary", "final_answer"] | None = None


class ToolSpec(msgspec.Struct):
    """A tool; only functions are called here."""

    type: str
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolChoice(msgspec.Struct):
    """A tool choice that is more than a word."""

    type: str
    name: str = ""
    mode: Literal["auto", "required"] = "auto"


class Format(msgspec.Struct):
    """What the text of the answer has to be."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class TextConfig(msgspec.Struct):
    """Format and length of the text."""

    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(msgspec.Struct):
    """How much the model is to think, and whether that is to be seen."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class StreamOptions(msgspec.Struct):
    """Whether the stream is padded."""

    include_obfuscation: bool | None = None


class Request(msgspec.Struct):
    """The fields that matter here; all others are allowed."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    input: str | list[Item] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=16)] | None = None
    tools: list[ToolSpec] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: Reasoning | None = None
    include: list[str] | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    metadata: dict[str, str] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    background: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt: Any = None
    conversation: Any = None

    def includes(self, what: str) -> bool:
        return self.include is not None and what in self.include


decoder = msgspec.json.Decoder(Request)
