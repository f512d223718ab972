"""The body of a Gemini request, as types; which values go together is for `contents` and `validation`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)] | Annotated[str, msgspec.Meta(pattern="^[0-9]{1,18}$")]


class Wire(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Google refuses every field that it does not know."""


class Blob(Wire):
    """Bytes in the body."""

    mime_type: str = ""
    data: str = ""
    display_name: str | None = None


class FileData(Wire):
    """A file elsewhere."""

    file_uri: str = ""
    mime_type: str = ""
    display_name: str | None = None


class FunctionCall(Wire):
    """A call that the model made."""

    name: str = ""
    id: str | None = None
    args: dict[str, Any] | None = None


class FunctionResponse(Wire):
    """What a call returned."""

    name: str = ""
    id: str | None = None
    response: dict[str, Any] | None = None
    parts: list[Any] | None = None
    will_continue: bool | None = None
    scheduling: str | None = None


class Part(Wire):
    """A piece of content: one of its data fields, and what is said about it."""

    text: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: Any = None
    code_execution_result: Any = None
    tool_call: Any = None
    tool_response: Any = None
    thought: bool | None = None
    thought_signature: str | None = None
    video_metadata: Any = None
    media_resolution: Any = None
    media_processing: Any = None
    part_metadata: Any = None


class Content(Wire):
    """One turn of the conversation."""

    parts: list[Part] = []
    role: str | None = None


class Schema(Wire):
    """The part of OpenAPI's schemas that Google takes under `parameters` and `responseSchema`."""

    type: str | None = None
    format: str | None = None
    title: str | None = None
    description: str | None = None
    nullable: bool | None = None
    enum: list[str] | None = None
    items: Schema | None = None
    max_items: Count | None = None
    min_items: Count | None = None
    properties: dict[str, Schema] | None = None
    required: list[str] | None = None
    min_properties: Count | None = None
    max_properties: Count | None = None
    min_length: Count | None = None
    max_length: Count | None = None
    pattern: str | None = None
    example: Any = None
    any_of: list[Schema] | None = None
    property_ordering: list[str] | None = None
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    additional_properties: Any = None


class FunctionDeclaration(Wire):
    """A function that the model may call."""

    name: str = ""
    description: str | None = None
    parameters: Schema | None = None
    parameters_json_schema: Any = None
    response: Any = None
    response_json_schema: Any = None
    behavior: str | None = None


class Tool(Wire):
    """Functions, or one of Google's own tools, which are taken and never called."""

    function_declarations: list[FunctionDeclaration] | None = None
    google_search: Any = None
    google_search_retrieval: Any = None
    google_maps: Any = None
    code_execution: Any = None
    url_context: Any = None
    computer_use: Any = None
    file_search: Any = None
    mcp_servers: Any = None


class FunctionCallingConfig(Wire):
    """Whether functions are called, and which."""

    mode: Literal["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"] = "AUTO"
    allowed_function_names: list[str] | None = None
    stream_function_call_arguments: bool | None = None


class ToolConfig(Wire):
    """How tools are used."""

    function_calling_config: FunctionCallingConfig | None = None
    retrieval_config: Any = None
    include_server_side_tool_invocations: bool | None = None


class ThinkingConfig(Wire):
    """How much is thought, and whether it is shown."""

    include_thoughts: bool | None = None
    thinking_budget: Annotated[int, msgspec.Meta(ge=-1)] | None = None
    thinking_level: (
        Literal["THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"]
        | Literal["minimal", "low", "medium", "high", "xhigh"]
        | None
    ) = None


class GenerationConfig(Wire):
    """How the answer is made."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_k: Annotated[float, msgspec.Meta(ge=1)] | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    stop_sequences: Annotated[list[str], msgspec.Meta(max_length=5)] | None = None
    candidate_count: Annotated[int, msgspec.Meta(ge=1, le=8)] | None = None
    seed: int | None = None
    presence_penalty: Annotated[float, msgspec.Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, msgspec.Meta(ge=-2, le=2)] | None = None
    response_mime_type: Literal["text/plain", "application/json", "text/x.enum"] | None = None
    response_schema: Schema | None = None
    response_json_schema: Any = None
    response_format: Any = None
    thinking_config: ThinkingConfig | None = None
    response_logprobs: bool | None = None
    logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    response_modalities: list[str] | None = None
    media_resolution: str | None = None
    speech_config: Any = None
    image_config: Any = None
    audio_timestamp: bool | None = None
    enable_enhanced_civic_answers: bool | None = None


class SafetySetting(Wire):
    """From which likelihood on a kind of harm is blocked."""

    category: str
    threshold: Literal[
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
        "BLOCK_LOW_AND_ABOVE",
        "BLOCK_MEDIUM_AND_ABOVE",
        "BLOCK_ONLY_HIGH",
        "BLOCK_NONE",
        "OFF",
    ]


class Request(Wire):
    """A whole body; the model stands in the path."""

    contents: list[Content] = []
    model: str | None = None
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    cached_content: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    labels: dict[str, str] | None = None


class CountRequest(Wire):
    """The body of a count: contents, or a whole request."""

    contents: list[Content] | None = None
    generate_content_request: Request | None = None
