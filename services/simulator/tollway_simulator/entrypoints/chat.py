"""OpenAI's `POST /v1/chat/completions`: requests in, answers, streams and errors out; called by `app`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from tollway_simulator.domain.prompt import Prompt, Tool
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.tokens import text_bytes
from tollway_simulator.entrypoints.bodies import Content, decode_body, pieces_as_json, text_of
from tollway_simulator.entrypoints.dialect import Stream

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Usage
    from tollway_simulator.entrypoints.exchange import Exchange

MODELS_CREATED = 1_767_225_600

# status: (type, code)
ERRORS: dict[int, tuple[str, str | None]] = {
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    403: ("permission_error", None),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}
FINISH_REASONS = {"end": "stop", "limit": "length", "tool": "tool_calls"}


class Called(msgspec.Struct):
    """The function of an earlier tool call."""

    name: str = ""
    arguments: str = ""


class ToolCall(msgspec.Struct):
    """A tool call of an earlier answer."""

    function: Called | None = None


class Message(msgspec.Struct):
    """One turn of the conversation."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: Content | None = None
    tool_calls: list[ToolCall] | None = None


class Function(msgspec.Struct):
    """What a function tool declares."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw = msgspec.Raw(b"{}")


class ToolSpec(msgspec.Struct):
    """A tool; only functions are called here."""

    type: str = "function"
    function: Function | None = None


class NamedFunction(msgspec.Struct):
    """The function that a tool choice names."""

    name: str


class ToolChoice(msgspec.Struct):
    """A tool choice that names a function."""

    type: str = "function"
    function: NamedFunction | None = None


class StreamOptions(msgspec.Struct):
    """Whether the stream reports usage."""

    include_usage: bool | None = None


class Request(msgspec.Struct):
    """The fields that matter here; all others are allowed."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[ToolSpec] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None


_decoder = msgspec.json.Decoder(Request)

_ROLE = b'{"role":"assistant","content":"","refusal":null}'
_CHUNK = b'%b{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}%b'


class Chat:
    """OpenAI's dialect."""

    name = "openai"
    request_id_header = b"x-request-id"

    def check_headers(self, exchange: Exchange) -> None:
        """Nothing but the key is demanded."""

    def read_prompt(self, exchange: Exchange, body: bytes) -> Prompt:
        request = decode_body(_decoder, body)
        choice = request.tool_choice
        named = choice.function.name if isinstance(choice, ToolChoice) and choice.function else ""
        functions = [tool.function for tool in request.tools or () if tool.function]
        return Prompt(
            model=request.model,
            text=_last_user_text(request.messages),
            text_bytes=sum(map(_message_bytes, request.messages)) + sum(map(_function_bytes, functions)),
            stream=bool(request.stream),
            include_usage=bool(request.stream_options and request.stream_options.include_usage),
            max_tokens=request.max_completion_tokens or request.max_tokens,
            tool_result=_tool_result(request.messages),
            tools=tuple(map(_tool, functions)) if functions and choice != "none" else (),
            must_call=choice == "required" or bool(named),
            forced_tool=named,
        )

    def render_models(self, names: tuple[str, ...]) -> bytes:
        data = [{"id": name, "object": "model", "created": MODELS_CREATED, "owned_by": "tollway"} for name in names]
        return msgspec.json.encode({"object": "list", "data": data})

    def render_error(self, refusal: Refusal, request_id: str) -> bytes:
        default = "server_error" if refusal.status >= 500 else "invalid_request_error"
        kind, code = ERRORS.get(refusal.status, (default, None))
        message = refusal.message
        if refusal.code == "missing":
            message, code = f"Missing required parameter: '{refusal.param}'.", "missing_required_parameter"
        return msgspec.json.encode({"error": {"message": message, "type": kind, "param": refusal.param, "code": code}})

    def render_json(self, prompt: Prompt, answer: Answer, request_id: str) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
        if answer.tool:
            message["content"] = None
            message["tool_calls"] = [_call(answer.tool, request_id, answer.text)]
        finish = FINISH_REASONS[answer.stop]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        completion = _envelope(prompt, request_id, "chat.completion")
        completion["choices"] = [choice]
        completion["usage"] = _usage(answer.usage)
        return msgspec.json.encode(completion)

    def render_stream(self, prompt: Prompt, answer: Answer, request_id: str) -> Stream:
        envelope = msgspec.json.encode(_envelope(prompt, request_id, "chat.completion.chunk"))[:-1]
        before = b'data: %b,"choices":[' % envelope
        after = b'],"usage":null}\n\n' if prompt.include_usage else b"]}\n\n"
        first, wrap = _ROLE, b'{"content":%b}'
        if answer.tool:
            call = {"index": 0, **_call(answer.tool, request_id, "")}
            first = msgspec.json.encode({"role": "assistant", "content": None, "tool_calls": [call]})
            wrap = b'{"tool_calls":[{"index":0,"function":{"arguments":%b}}]}'
        delta = _CHUNK % (before.replace(b"%", b"%%"), wrap, b"null", after)
        finish = b'"%b"' % FINISH_REASONS[answer.stop].encode()
        tail = _CHUNK % (before, b"{}", finish, after)
        if prompt.include_usage:
            tail += before + b'],"usage":%b}\n\n' % msgspec.json.encode(_usage(answer.usage))
        return Stream(
            _CHUNK % (before, first, b"null", after),
            [delta % piece for piece in pieces_as_json(answer.pieces)],
            tail + b"data: [DONE]\n\n",
        )


def _envelope(prompt: Prompt, request_id: str, kind: str) -> dict[str, Any]:
    return {
        "id": request_id.replace("req_", "chatcmpl-"),
        "object": kind,
        "created": int(time.time()),
        "model": prompt.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulator",
    }


def _call(tool: Tool, request_id: str, arguments: str) -> dict[str, Any]:
    function = {"name": tool.name, "arguments": arguments}
    return {"id": request_id.replace("req_", "call_"), "type": "function", "function": function}


def _usage(usage: Usage) -> dict[str, Any]:
    prompt_tokens = usage.input + usage.cache_read + usage.cache_write
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": usage.output,
        "total_tokens": prompt_tokens + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _message_bytes(message: Message) -> int:
    total = text_bytes(text_of(message.content))
    for call in message.tool_calls or ():
        if call.function:
            total += text_bytes(call.function.name + call.function.arguments)
    return total


def _function_bytes(function: Function) -> int:
    return text_bytes(function.name + (function.description or "")) + len(bytes(function.parameters))


def _last_user_text(messages: list[Message]) -> str:
    for message in reversed(messages):
        if message.role == "user" and (text := text_of(message.content, "\n")):
            return text
    return ""


def _tool_result(messages: list[Message]) -> str | None:
    results: list[str] = []
    for message in reversed(messages):
        if message.role != "tool":
            break
        results.append(text_of(message.content))
    return " ".join(reversed(results)) if results else None


def _tool(function: Function) -> Tool:
    schema = msgspec.json.decode(bytes(function.parameters))
    return Tool(function.name, schema if isinstance(schema, dict) else {})
