"""Adapts a request to what one model takes: refuses what would change its meaning, and lists what it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.errors import Untranslatable
from tollway_dialects.translation.form.parts import Document, Image, Part, Text, Thought, ToolResult
from tollway_dialects.translation.form.request import Role, Sampling
from tollway_dialects.translation.models.thinking import adapt_thinking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.request import Request
    from tollway_dialects.translation.models.capabilities import ModelCapabilities
    from tollway_dialects.translation.models.changes import Changes

_DRAWS = ("temperature", "top_p", "top_k")


def adapt_request(request: Request, target: Dialect, model: ModelCapabilities, changes: Changes) -> Request:
    _refuse(request, model, changes)
    if target is Dialect.GEMINI or not model.takes_late_system:
        request = _system_first(request, changes)
    request = _limited(request, target, model, changes)
    request = _sampled(request, target, model, changes)
    if not model.wants_reasoning_content and target is Dialect.OPENAI_CHAT:
        changes.drop_if(_thought_by_chat(request), "reasoning_content")
    thinking = adapt_thinking(request, target, model, changes)
    if target is Dialect.ANTHROPIC_MESSAGES and thinking.budget is not None:
        request = _without_sampling(request, changes)  # a budget goes with the default alone
    return msgspec.structs.replace(request, thinking=thinking)


def _refuse(request: Request, model: ModelCapabilities, changes: Changes) -> None:
    if request.turns and request.turns[-1].role is Role.ASSISTANT and not model.takes_prefill:
        raise Untranslatable(changes.named("messages"), "must end with the user's turn: the model continues no other")
    if request.tool_choice and request.tool_choice.is_forced and not model.takes_forced_tools:
        raise Untranslatable("tool_choice", "must be auto or none: the model cannot be made to call a tool")
    wanted = request.format and ("object" if request.format.schema is None else "schema")
    if wanted and wanted not in model.formats:
        raise Untranslatable(changes.named("format"), f"the model holds no answer to a JSON {wanted}")
    for part in _given(request):
        if isinstance(part, Image) and not model.takes_images:
            raise Untranslatable(changes.named("messages"), "the model takes no images")
        if isinstance(part, Document) and not model.takes_documents and part.media and part.media.kind != "text":
            raise Untranslatable(changes.named("messages"), "the model takes no documents")


def _given(request: Request) -> Iterator[Part]:
    for turn in request.turns:
        for part in turn.parts:
            yield part
            if isinstance(part, ToolResult):
                yield from part.parts


def _system_first(request: Request, changes: Changes) -> Request:
    """Return the request with all that the system says at its beginning."""
    late = [turn for turn in request.turns if turn.role is Role.SYSTEM]
    changes.drop_if(bool(late), "position of system")
    said = tuple(part for turn in late for part in turn.parts if isinstance(part, Text))
    turns = tuple(turn for turn in request.turns if turn.role is not Role.SYSTEM)
    return msgspec.structs.replace(request, system=request.system + said, turns=turns)


def _limited(request: Request, target: Dialect, model: ModelCapabilities, changes: Changes) -> Request:
    """Return the request with a limit where one is demanded, and none beyond the model's own."""
    limit = request.max_tokens
    if limit is None:
        if target is not Dialect.ANTHROPIC_MESSAGES:
            return request
        limit = model.default_max_tokens
        changes.adapt("max_tokens")
    if model.max_output is not None and limit > model.max_output:
        limit = model.max_output
        changes.adapt("max_tokens")
    return msgspec.structs.replace(request, max_tokens=limit)


def _sampled(request: Request, target: Dialect, model: ModelCapabilities, changes: Changes) -> Request:
    if not model.takes_sampling:
        return _without_sampling(request, changes)
    sampling = request.sampling
    if sampling.temperature is None:
        return request
    if target is Dialect.ANTHROPIC_MESSAGES and sampling.temperature > 1:  # elsewhere it goes up to 2
        sampling = msgspec.structs.replace(sampling, temperature=1.0)
        changes.adapt("temperature")
    if sampling.top_p is not None and not model.takes_top_p_with_temperature:
        sampling = msgspec.structs.replace(sampling, top_p=None)
        changes.drop("top_p")
    return msgspec.structs.replace(request, sampling=sampling)


def _without_sampling(request: Request, changes: Changes) -> Request:
    sampling = request.sampling
    for name in _DRAWS:
        changes.drop_if(getattr(sampling, name) is not None, name)
    rest = {name: value for name, value in msgspec.structs.asdict(sampling).items() if name not in _DRAWS}
    return msgspec.structs.replace(request, sampling=Sampling(**rest))


def _thought_by_chat(request: Request) -> bool:
    return any(
        isinstance(part, Thought) and part.origin is Dialect.OPENAI_CHAT
        for turn in request.turns
        for part in turn.parts
    )
