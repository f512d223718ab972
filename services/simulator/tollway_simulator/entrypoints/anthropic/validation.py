"""Refuses what Anthropic's API refuses, and reads what is left; called by `dialect` and `count_tokens`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.models import Traits, traits_of
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.schemas import why_no_schema
from tollway_simulator.entrypoints.anthropic.caching import marks_of
from tollway_simulator.entrypoints.anthropic.conversation import check_conversation, check_system
from tollway_simulator.entrypoints.anthropic.provider import explain
from tollway_simulator.entrypoints.anthropic.requests import binding_of, format_of, read_request
from tollway_simulator.entrypoints.anthropic.schema import Request, decoder
from tollway_simulator.entrypoints.anthropic.thinking import check_thinking
from tollway_simulator.entrypoints.bodies import decode_body, decode_part

if TYPE_CHECKING:
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.anthropic.schema import ToolSpec
    from tollway_simulator.entrypoints.connection.exchange import Exchange

VERSION_WITHOUT_SAMPLING = b"2026-10-21"
MAX_MARKS = 4
SAMPLING: dict[str, float] = {"temperature": 1, "top_p": 1, "top_k": float("inf")}
"""The parameters and the most that each may be."""

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def checked_prompt(exchange: Exchange, body: bytes, *, is_generated: bool) -> Prompt:
    """Return what a body means, or raise the Refusal that the provider would answer."""
    request = decode_body(decoder, body, explain)
    traits = traits_of(request.model)
    if is_generated:
        _check_limit(request, traits)
    _check_sampling(request, traits, exchange.headers.get(b"anthropic-version", b""))
    if request.system is not None:
        check_system(request.system)
    binding = binding_of(request.model, exchange.account)
    check_conversation(request.messages, binding)
    if request.messages[-1].role == "assistant":
        _check_prefill(request, traits)
    if request.thinking is not None:
        check_thinking(request, traits, exchange.header(b"anthropic-beta"))
    if request.tools or request.tool_choice is not None:
        _check_tools(request, traits)
    if asked := format_of(request):
        place = "output_format" if asked is request.output_format else "output_config.format"
        _check_schema(asked.schema, f"{place}.schema")
    if request.stop_sequences is not None and not all(map(str.strip, request.stop_sequences)):
        raise Refusal(400, "stop_sequences: each stop sequence must contain non-whitespace", "stop_sequences")
    return read_request(request, binding, is_marked=_check_marks(request))


def _check_limit(request: Request, traits: Traits) -> None:
    limit = request.max_tokens
    if limit is msgspec.UNSET:
        raise Refusal(400, "max_tokens: Field required", "max_tokens")
    if traits.max_output is not None and limit > traits.max_output:
        message = f"{limit} > {traits.max_output}, which is the maximum allowed number of output tokens"
        raise Refusal(400, f"max_tokens: {message} for {request.model}", "max_tokens")
    if limit == 0:
        choice = request.tool_choice.type if request.tool_choice is not None else ""
        if request.stream or request.thinking is not None or choice in ("any", "tool"):
            message = "0 cannot be combined with `stream`, `thinking` or a forced `tool_choice`"
            raise Refusal(400, f"max_tokens: {message}", "max_tokens")


def _check_sampling(request: Request, traits: Traits, version: bytes) -> None:
    if version == VERSION_WITHOUT_SAMPLING:
        for name in SAMPLING:
            if getattr(request, name) is not msgspec.UNSET:
                raise Refusal(400, f"{name}: Extra inputs are not permitted", name)
        _check_newest(request)
        return
    for name, most in SAMPLING.items():
        value: Any = getattr(request, name)
        if value is msgspec.UNSET or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int if name == "top_k" else int | float):
            kind = "integer" if name == "top_k" else "number"
            raise Refusal(400, f"{name}: Input should be a valid {kind}", name)
        if not 0 <= value <= most:
            raise Refusal(400, f"{name}: Input should be between 0 and {most:g}", name)
        if traits.has("S") and value != 1:
            raise Refusal(400, f"{name}: this model accepts only the default value", name)


def _check_newest(request: Request) -> None:
    for index, message in enumerate(request.messages):
        for place, part in enumerate(message.content if not isinstance(message.content, str) else ()):
            where = f"messages.{index}.content.{place}"
            if part.type == "document" and message.role == "assistant":
                raise Refusal(400, f"{where}: `document` blocks can only be specified in `user` messages", where)
            if part.type == "text" and message.role == "user" and bytes(part.citations) not in (b"", b"null", b"[]"):
                raise Refusal(400, f"{where}.text.citations: Extra inputs are not permitted", where)


def _check_prefill(request: Request, traits: Traits) -> None:
    if traits.has("P"):
        message = (
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
        raise Refusal(400, message, "messages")
    content = request.messages[-1].content
    text = content if isinstance(content, str) else (content[-1].text or "") if content else ""
    if text != text.rstrip():
        raise Refusal(400, "messages: final assistant content cannot end with trailing whitespace", "messages")


def _check_tools(request: Request, traits: Traits) -> None:
    names = [tool.name for tool in request.tools or () if tool.name]
    if len(names) != len(set(names)):
        raise Refusal(400, "tools: Tool names must be unique.", "tools")
    for index, tool in enumerate(request.tools or ()):
        if tool.type in (None, "custom"):
            _check_custom(tool, f"tools.{index}.custom")
    choice = request.tool_choice
    if choice is None or choice.type in ("auto", "none"):
        return
    if not request.tools:
        raise Refusal(400, "tool_choice may only be specified while providing `tools`", "tool_choice")
    if choice.type == "tool" and not choice.name:
        raise Refusal(400, "tool_choice.tool.name: Field required", "tool_choice.tool.name")
    if traits.has("F"):
        raise Refusal(400, f"tool_choice: type `{choice.type}` is not supported for this model", "tool_choice")
    if request.thinking is not None and request.thinking.type == "enabled":
        raise Refusal(400, "Thinking may not be enabled when tool_choice forces tool use.", "tool_choice")


def _check_custom(tool: ToolSpec, where: str) -> None:
    if not tool.name:
        raise Refusal(400, f"{where}.name: Field required", f"{where}.name")
    if not _TOOL_NAME.fullmatch(tool.name):
        raise Refusal(400, f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'", f"{where}.name")
    if not tool.input_schema:
        raise Refusal(400, f"{where}.input_schema: Field required", f"{where}.input_schema")
    schema = decode_part(tool.input_schema, explain)
    if not isinstance(schema, dict):
        raise Refusal(400, f"{where}.input_schema: Input should be a valid dictionary", f"{where}.input_schema")
    if schema.get("type") != "object":
        said = "Field required" if "type" not in schema else "Input should be 'object'"
        raise Refusal(400, f"{where}.input_schema.type: {said}", f"{where}.input_schema.type")
    _check_schema(schema, f"{where}.input_schema")


def _check_schema(schema: dict[str, Any], where: str) -> None:
    if wrong := why_no_schema(schema):
        message = f"JSON schema is invalid. It must match JSON Schema draft 2020-12. {wrong}"
        raise Refusal(400, f"{where}: {message}", where)


def _check_marks(request: Request) -> bool:
    marks = marks_of(request)
    if not marks:
        return False
    if len(marks) > MAX_MARKS:
        message = f"A maximum of {MAX_MARKS} blocks with cache_control may be provided. Found {len(marks)}."
        raise Refusal(400, message, "cache_control")
    lives = [mark.ttl or "5m" for mark in marks]
    if "5m" in lives and "1h" in lives[lives.index("5m") :]:
        message = "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block"
        raise Refusal(400, message, "cache_control")
    return True
