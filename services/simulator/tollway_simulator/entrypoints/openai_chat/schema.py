"""The body of a chat completion, as types; which values go together is for `validation`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec


class Part(msgspec.Struct):
    """A content part of any type; which fields it needs is for `validation` to check."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: msgspec.Raw = msgspec.Raw()
    input_audio: msgspec.Raw = msgspec.Raw()
    file: msgspec.Raw = msgspec.Raw()


Content = str | list[Part]


class Called(msgspec.Struct):
    """The function of an earlier tool call."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct):
    """A tool call of an earlier answer."""

    id: str
    type: str = "function"
    function: Called | None = None


class Message(msgspec.Struct):
    """One turn of the conversation."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: Content | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    function_call: Any = None
    refusal: str | None = None
    audio: Any = None


class Function(msgspec.Struct):
    """What a function tool declares."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw = msgspec.Raw(b"{}")
    strict: bool | None = None


class ToolSpec(msgspec.Struct):
    """A tool; only functions are called here."""

    type: str
    function: Function | None = None


class NamedFunction(msgspec.Struct):
    """The function that a tool choice names."""

    name: str


class ToolChoice(msgspec.Struct):
    """A tool choice that names a function."""

    type: str
    function: NamedFunction | None = None


class StreamOptions(msgspec.Struct):
    """Whether the stream reports usage and is padded."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class JsonSchema(msgspec.Struct):
    """A schema under a name."""

    name: str
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct):
    """What the text of the answer has to be."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]


class Request(msgspec.Struct):
    """The fields that matter here; all others are allowed."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: Annotated[list[ToolSpec], msgspec.Meta(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    stop: str | Annotated[list[str], msgspec.Meta(max_length=4)] | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    metadata: dict[str, str] | None = None
    prompt_cache_key: str | None = None
    parallel_tool_calls: bool | None = None


decoder = msgspec.json.Decoder(Request)
