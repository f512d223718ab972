"""Refuses what OpenAI's responses refuse, and reads what is left; called by `dialect` and `stored`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.bodies import decode_body
from tollway_simulator.entrypoints.openai.checks import check_metadata, check_model, check_name, check_schema
from tollway_simulator.entrypoints.openai.wording import explain, missing, unsupported_value
from tollway_simulator.entrypoints.openai_responses.items import check_items
from tollway_simulator.entrypoints.openai_responses.requests import items_of, read_request, text_of
from tollway_simulator.entrypoints.openai_responses.schema import ToolChoice, decoder

if TYPE_CHECKING:
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.response_store import ResponseStore, Stored
    from tollway_simulator.entrypoints.openai_responses.schema import Format, Request


def checked_prompt(store: ResponseStore, body: bytes) -> Prompt:
    """Return what a body means, with the response that it goes on from, or raise the Refusal of the provider."""
    request = decode_body(decoder, body, explain)
    previous = _previous(store, request.previous_response_id)
    if request.input is None and request.previous_response_id is None and request.prompt is None:
        raise missing("input")
    if request.background:
        raise unsupported_value("background", "the simulator has no background mode.")
    check_items(items_of(request), previous.open_calls if previous is not None else ())
    _check_tools(request)
    if request.text is not None and request.text.format is not None:
        _check_format(request, request.text.format)
    check_metadata(request.metadata)
    effort = request.reasoning.effort if request.reasoning is not None else None
    sampling = {"temperature": request.temperature, "top_p": request.top_p}
    check_model(traits_of(request.model), "reasoning.effort", effort, sampling)
    return read_request(request, previous.text_bytes if previous is not None else 0)


def _previous(store: ResponseStore, name: str | None) -> Stored | None:
    if name is None:
        return None
    previous = store.get(name)
    if previous is None:
        message = f"Previous response with id '{name}' not found."
        raise Refusal(400, message, "previous_response_id", "previous_response_not_found")
    return previous


def _check_tools(request: Request) -> None:
    names = set()
    for index, tool in enumerate(request.tools or ()):
        names.add(tool.name)
        if tool.type != "function":
            continue
        path = f"tools[{index}]"
        if not tool.name:
            raise missing(f"{path}.name")
        check_name(f"{path}.name", tool.name)
        # null means true here, but clients send loose schemas without it and are served
        is_strict = tool.strict is True
        of = f"function '{tool.name}'"
        check_schema(of, tool.parameters, f"{path}.parameters", "invalid_function_parameters", is_strict=is_strict)
    choice = request.tool_choice
    if isinstance(choice, ToolChoice) and choice.type == "function" and choice.name not in names:
        message = f"Tool choice 'function' not found in 'tools' parameter: '{choice.name}'."
        raise Refusal(400, message, "tool_choice")


def _check_format(request: Request, given: Format) -> None:
    if given.type == "json_object":
        texts = [request.instructions or "", *[text_of(item.content) for item in items_of(request)]]
        if not any("json" in text.lower() for text in texts):
            message = "Response input messages must contain the word 'json' in some form to use 'text.format'"
            raise Refusal(400, f"{message} of type 'json_object'.", "input")
    if given.type != "json_schema":
        return
    for name in ("name", "schema"):
        if getattr(given, name) is None:
            raise missing(f"text.format.{name}")
    check_name("text.format.name", given.name or "")
    of = f"response_format '{given.name}'"
    check_schema(of, given.schema, "text.format.schema", "invalid_json_schema", is_strict=bool(given.strict))
