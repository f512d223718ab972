"""Refuses what Gemini refuses, and reads what is left; called by `dialect` and `count_tokens`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.schemas import why_no_schema
from tollway_simulator.entrypoints.google.contents import check_contents, check_system
from tollway_simulator.entrypoints.google.requests import declarations_of, read_request
from tollway_simulator.entrypoints.google.schema import Request
from tollway_simulator.entrypoints.google.spelling import decode_spelled

if TYPE_CHECKING:
    from tollway_simulator.domain.models import Traits
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.connection.exchange import Exchange
    from tollway_simulator.entrypoints.google.schema import FunctionDeclaration, GenerationConfig, SafetySetting

MAX_FUNCTIONS = 512

_MODEL = re.compile(r"/v1(?:beta|alpha)?/models/(.+):\w+")
_FUNCTION_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")


def checked_prompt(exchange: Exchange, body: bytes, *, stream: bool) -> Prompt:
    """Return what a body means, or raise the Refusal that the provider would answer."""
    return prompt_of(exchange, decode_spelled(Request, body), stream=stream)


def prompt_of(exchange: Exchange, request: Request, *, stream: bool) -> Prompt:
    found = _MODEL.fullmatch(exchange.path)
    model = found[1] if found else ""
    traits = traits_of(model)
    binding = f"google {model} {exchange.account}"
    check_contents(request.contents, traits, binding)
    if request.system_instruction is not None:
        check_system(request.system_instruction)
    declared = declarations_of(request)
    _check_functions(declared)
    _check_choice(request, {one.name for one in declared})
    if request.generation_config is not None:
        _check_config(request.generation_config, traits)
    _check_safety(request.safety_settings or [])
    if request.cached_content is not None:
        raise Refusal(403, "CachedContent not found (or permission denied)")
    return read_request(request, model, binding, stream=stream)


def _check_functions(declared: list[FunctionDeclaration]) -> None:
    if len(declared) > MAX_FUNCTIONS:
        raise Refusal(400, f"At most {MAX_FUNCTIONS} function declarations are supported.", "tools")
    seen: set[str] = set()
    for index, one in enumerate(declared):
        where = f"tools[0].function_declarations[{index}]"
        if not _FUNCTION_NAME.fullmatch(one.name):
            text = (
                "Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), "
                "underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128."
            )
            raise Refusal(400, f"* GenerateContentRequest.{where}.name: {text}\n", f"{where}.name")
        if one.name in seen:
            raise Refusal(400, f"Duplicate function declaration found: {one.name}", where)
        seen.add(one.name)
        if one.parameters is not None and one.parameters_json_schema is not None:
            message = "parameters and parameters_json_schema are mutually exclusive."
            raise Refusal(400, f"* GenerateContentRequest.{where}: {message}\n", where)
        _check_json_schema(one.parameters_json_schema, f"{where}.parameters_json_schema")


def _check_json_schema(schema: object, where: str) -> None:
    if schema is None:
        return
    wrong = why_no_schema(schema) if isinstance(schema, dict) else "not an object"
    if wrong:
        raise Refusal(400, f"* GenerateContentRequest.{where}: invalid JSON schema: {wrong}\n", where)


def _check_choice(request: Request, names: set[str]) -> None:
    config = request.tool_config.function_calling_config if request.tool_config is not None else None
    if config is None:
        return
    if config.mode == "ANY" and not names:
        raise Refusal(400, "Function calling config is set without function_declarations.", "tool_config")
    if config.allowed_function_names and config.mode not in ("ANY", "VALIDATED"):
        message = "allowed_function_names should be set only when the function calling mode is ANY or VALIDATED."
        raise Refusal(400, message, "tool_config")
    for name in config.allowed_function_names or ():
        if name not in names:
            message = f"allowed_function_names has a name that is not declared: {name}"
            raise Refusal(400, message, "tool_config.function_calling_config.allowed_function_names")


def _check_config(config: GenerationConfig, traits: Traits) -> None:
    limit = config.max_output_tokens
    if limit is not None and traits.max_output is not None and limit > traits.max_output:
        message = f"max_output_tokens must be in the range [1, {traits.max_output + 1}), but is {limit}."
        raise Refusal(400, message, "generation_config.max_output_tokens")
    if config.response_schema is not None and config.response_json_schema is not None:
        raise Refusal(400, "response_schema and response_json_schema are mutually exclusive.", "generation_config")
    has_schema = config.response_schema is not None or config.response_json_schema is not None
    if has_schema and config.response_mime_type in (None, "text/plain"):
        message = "Response schema is only supported with response_mime_type application/json or text/x.enum."
        raise Refusal(400, message, "generation_config.response_mime_type")
    _check_json_schema(config.response_json_schema, "generation_config.response_json_schema")
    thinking = config.thinking_config
    if thinking is not None and thinking.thinking_budget is not None and thinking.thinking_level is not None:
        raise Refusal(400, "You can only set only one of thinking budget and thinking level.", "generation_config")
    if config.logprobs is not None and not config.response_logprobs:
        raise Refusal(400, "logprobs can only be set when response_logprobs is true.", "generation_config.logprobs")


def _check_safety(settings: list[SafetySetting]) -> None:
    seen: set[str] = set()
    for index, one in enumerate(settings):
        where = f"safety_settings[{index}]"
        if not one.category.startswith("HARM_CATEGORY_"):
            raise Refusal(400, f"Invalid value at '{where}.category': \"{one.category}\"", where)
        if one.category in seen:
            raise Refusal(400, f"* GenerateContentRequest.{where}: duplicate safety setting: {one.category}\n", where)
        seen.add(one.category)
