"""Anthropic's `POST /v1/messages`: requests in, answers, streams and errors out; called by `app`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from tollway_simulator.domain.prompt import Prompt, Tool
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.tokens import text_bytes
from tollway_simulator.entrypoints.bodies import Content, decode_body, nested_content, pieces_as_json, text_of
from tollway_simulator.entrypoints.dialect import Stream

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Usage
    from tollway_simulator.entrypoints.exchange import Exchange

VERSIONS = {"2023-01-01", "2023-06-01", "2026-10-21"}
VERSION_WITHOUT_SAMPLING = "2026-10-21"
MODELS_CREATED_AT = "2026-01-01T00:00:00Z"

ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STOP_REASONS = {"end": "end_turn", "limit": "max_tokens", "tool": "tool_use"}


class Message(msgspec.Struct):
    """One turn of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: Content


class ToolSpec(msgspec.Struct):
    """A tool; those without a schema run at the provider and are never called here."""

    name: str = ""
    description: str = ""
    input_schema: msgspec.Raw = msgspec.Raw()


class ToolChoice(msgspec.Struct):
    """Which tool may or must be called."""

    type: Literal["auto", "any", "tool", "none"] = "auto"
    name: str = ""


class Request(msgspec.Struct):
    """The fields that matter here; all others are allowed."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    max_tokens: Annotated[int, msgspec.Meta(ge=0)]
    system: Content | None = None
    stream: bool | None = None
    tools: list[ToolSpec] | None = None
    tool_choice: ToolChoice | None = None
    temperature: Any = msgspec.UNSET
    top_p: Any = msgspec.UNSET
    top_k: Any = msgspec.UNSET


_decoder = msgspec.json.Decoder(Request)

_TEXT_START = (
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
)
_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_BLOCK_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
_MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
_TEXT_DELTA = _DELTA + b'{"type":"text_delta","text":%b}}\n\n'
_INPUT_DELTA = _DELTA + b'{"type":"input_json_delta","partial_json":%b}}\n\n'


class Messages:
    """Anthropic's dialect."""

    name = "anthropic"
    request_id_header = b"request-id"

    def check_headers(self, exchange: Exchange) -> None:
        version = exchange.header(b"anthropic-version")
        if not version:
            raise Refusal(400, "anthropic-version: header is required")
        if version not in VERSIONS:
            raise Refusal(
                400, f"anthropic-version: not a version that is known; known are {', '.join(sorted(VERSIONS))}"
            )

    def read_prompt(self, exchange: Exchange, body: bytes) -> Prompt:
        request = decode_body(_decoder, body)
        if exchange.headers[b"anthropic-version"] == VERSION_WITHOUT_SAMPLING.encode():
            for name in ("temperature", "top_p", "top_k"):
                if getattr(request, name) is not msgspec.UNSET:
                    raise Refusal(400, f"{name}: Extra inputs are not permitted", name)
        choice = request.tool_choice or ToolChoice()
        tools = request.tools or []
        return Prompt(
            model=request.model,
            text=_last_user_text(request.messages),
            text_bytes=_content_bytes(request.system)
            + sum(_content_bytes(message.content) for message in request.messages)
            + sum(text_bytes(tool.name + tool.description) + len(bytes(tool.input_schema)) for tool in tools),
            stream=bool(request.stream),
            max_tokens=request.max_tokens,
            tool_result=_tool_result(request.messages[-1]),
            tools=_callable(tools) if tools and choice.type != "none" else (),
            must_call=choice.type in ("any", "tool"),
            forced_tool=choice.name,
        )

    def render_models(self, names: tuple[str, ...]) -> bytes:
        data = [{"type": "model", "id": name, "display_name": name, "created_at": MODELS_CREATED_AT} for name in names]
        return msgspec.json.encode({"data": data, "has_more": False, "first_id": names[0], "last_id": names[-1]})

    def render_error(self, refusal: Refusal, request_id: str) -> bytes:
        kind = ERROR_TYPES.get(refusal.status, "api_error" if refusal.status >= 500 else "invalid_request_error")
        error = {"type": kind, "message": refusal.message}
        return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})

    def render_json(self, prompt: Prompt, answer: Answer, request_id: str) -> bytes:
        if answer.tool:
            block = {**_tool_block(answer.tool, request_id), "input": msgspec.Raw(answer.text.encode())}
        else:
            block = {"type": "text", "text": answer.text}
        message = _message(prompt, request_id)
        message["content"] = [block] if answer.pieces else []
        message["stop_reason"] = STOP_REASONS[answer.stop]
        message["usage"] = _usage(answer.usage, answer.usage.output)
        return msgspec.json.encode(message)

    def render_stream(self, prompt: Prompt, answer: Answer, request_id: str) -> Stream:
        message = _message(prompt, request_id)
        message["usage"] = _usage(answer.usage, 1)
        head = _event(b"message_start", {"type": "message_start", "message": message})
        delta = _TEXT_DELTA
        if answer.tool:
            block = _tool_block(answer.tool, request_id)
            start = {"type": "content_block_start", "index": 0, "content_block": block}
            head += _event(b"content_block_start", start) + _PING + _INPUT_DELTA % b'""'
            delta = _INPUT_DELTA
        else:
            head += _TEXT_START + _PING
        stop = {"stop_reason": STOP_REASONS[answer.stop], "stop_sequence": None}
        last = {"type": "message_delta", "delta": stop, "usage": _usage(answer.usage, answer.usage.output)}
        deltas = [delta % piece for piece in pieces_as_json(answer.pieces)]
        return Stream(head, deltas, _BLOCK_STOP + _event(b"message_delta", last) + _MESSAGE_STOP)


def _event(name: bytes, data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name, msgspec.json.encode(data))


def _message(prompt: Prompt, request_id: str) -> dict[str, Any]:
    return {
        "id": request_id.replace("req_", "msg_"),
        "type": "message",
        "role": "assistant",
        "model": prompt.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _tool_block(tool: Tool, request_id: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": request_id.replace("req_", "toolu_"), "name": tool.name, "input": {}}


def _usage(usage: Usage, output: int) -> dict[str, Any]:
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
    }


def _content_bytes(content: Content | None) -> int:
    if content is None or isinstance(content, str):
        return text_bytes(content or "")
    total = 0
    for part in content:
        total += text_bytes(part.text or part.thinking or "") + len(bytes(part.input))
        if part.type == "tool_result":
            total += _content_bytes(nested_content(part))
    return total


def _last_user_text(messages: list[Message]) -> str:
    for message in reversed(messages):
        if message.role == "user" and (text := text_of(message.content, "\n")):
            return text
    return ""


def _tool_result(message: Message) -> str | None:
    if message.role != "user" or isinstance(message.content, str):
        return None
    results = [text_of(nested_content(part)) for part in message.content if part.type == "tool_result"]
    return " ".join(results) if results else None


def _callable(tools: list[ToolSpec]) -> tuple[Tool, ...]:
    return tuple(Tool(tool.name, _schema(tool)) for tool in tools if bytes(tool.input_schema))


def _schema(tool: ToolSpec) -> dict[str, Any]:
    schema = msgspec.json.decode(bytes(tool.input_schema))
    return schema if isinstance(schema, dict) else {}
