"""Refuses what OpenAI's chat completions refuse, and reads what is left; called by `dialect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.bodies import decode_body, decode_part
from tollway_simulator.entrypoints.openai.checks import (
    check_metadata,
    check_model,
    check_name,
    check_schema,
)
from tollway_simulator.entrypoints.openai.wording import explain, missing
from tollway_simulator.entrypoints.openai_chat.conversation import check_conversation
from tollway_simulator.entrypoints.openai_chat.requests import read_request, text_of
from tollway_simulator.entrypoints.openai_chat.schema import decoder

if TYPE_CHECKING:
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.openai_chat.flavour import Flavour
    from tollway_simulator.entrypoints.openai_chat.schema import Request, ResponseFormat


def checked_prompt(flavour: Flavour, body: bytes) -> Prompt:
    """Return what a body means, or raise the Refusal that the provider would answer."""
    request = decode_body(decoder, body, flavour.explain)
    _check_limits(request)
    if request.top_logprobs and not request.logprobs:
        message = "Invalid value for 'top_logprobs': 'top_logprobs' is only allowed when 'logprobs' is enabled."
        raise Refusal(400, message, "top_logprobs", "invalid_value")
    check_conversation(request.messages)
    if request.tools is not None or request.tool_choice is not None or request.parallel_tool_calls is not None:
        _check_tools(request)
    if request.response_format is not None:
        _check_format(request, request.response_format)
    if request.stream_options is not None and not request.stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Refusal(400, message, "stream_options")
    check_metadata(request.metadata)
    flavour.check(request, body)
    return flavour.adapt(read_request(request), request, body)


def _check_limits(request: Request) -> None:
    traits = traits_of(request.model)
    if request.max_tokens is not None and traits.has("M"):
        message = "Unsupported parameter: 'max_tokens' is not supported with this model."
        raise Refusal(400, f"{message} Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter")
    limit = request.max_completion_tokens or request.max_tokens
    if limit is not None and traits.max_output is not None and limit > traits.max_output:
        name = "max_completion_tokens" if request.max_completion_tokens else "max_tokens"
        message = f"{name} is too large: {limit}. This model supports at most {traits.max_output} completion tokens"
        raise Refusal(400, f"{message}, whereas you provided {limit}.", name, "invalid_value")
    if not traits.flags:
        return
    sampling = {"temperature": request.temperature, "top_p": request.top_p}
    check_model(traits, "reasoning_effort", request.reasoning_effort, sampling)


def _check_tools(request: Request) -> None:
    if not request.tools:
        for name in ("tool_choice", "parallel_tool_calls"):
            if getattr(request, name) not in (None, "none", "auto"):
                message = f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
                raise Refusal(400, message, name, "invalid_value")
    for index, tool in enumerate(request.tools or ()):
        if tool.type != "function":
            continue
        if tool.function is None:
            raise missing(f"tools[{index}].function")
        path = f"tools[{index}].function"
        check_name(f"{path}.name", tool.function.name)
        parameters = decode_part(tool.function.parameters, explain)
        if parameters is not None and not isinstance(parameters, dict):
            message = f"Invalid type for '{path}.parameters': expected an object."
            raise Refusal(400, message, f"{path}.parameters", "invalid_type")
        of, is_strict = f"function '{tool.function.name}'", bool(tool.function.strict)
        check_schema(of, parameters, f"{path}.parameters", "invalid_function_parameters", is_strict=is_strict)


def _check_format(request: Request, given: ResponseFormat) -> None:
    if given.type == "json_object" and not any("json" in text_of(one.content).lower() for one in request.messages):
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        raise Refusal(400, message, "messages")
    if given.type != "json_schema":
        return
    asked = given.json_schema
    if asked is None:
        raise missing("response_format.json_schema")
    check_name("response_format.json_schema.name", asked.name)
    of = f"response_format '{asked.name}'"
    check_schema(of, asked.schema, "response_format", "invalid_json_schema", is_strict=bool(asked.strict))
