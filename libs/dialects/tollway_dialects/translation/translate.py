"""Translates a request from a client's dialect to that of the model's provider; called before each try at one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.request import MalformedRequest
from tollway_dialects.translation import anthropic, chat, gemini, responses
from tollway_dialects.translation.errors import Untranslatable
from tollway_dialects.translation.features import used_features
from tollway_dialects.translation.limits import DROPS, REFUSES, WHY
from tollway_dialects.translation.models.adapt import adapt_request
from tollway_dialects.translation.models.changes import Changes
from tollway_dialects.translation.wire.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.form.request import Request
    from tollway_dialects.translation.models.capabilities import ModelCapabilities

READERS: Mapping[Dialect, Callable[[Node], Request]] = {
    Dialect.ANTHROPIC_MESSAGES: anthropic.read_request,
    Dialect.OPENAI_CHAT: chat.read_request,
    Dialect.OPENAI_RESPONSES: responses.read_request,
}
WRITERS: Mapping[Dialect, Callable[[Request, ModelCapabilities], Json]] = {
    Dialect.ANTHROPIC_MESSAGES: anthropic.write_request,
    Dialect.OPENAI_CHAT: chat.write_request,
    Dialect.OPENAI_RESPONSES: responses.write_request,
    Dialect.GEMINI: gemini.write_request,
}
_OPENAI = frozenset({Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES})


class Translated(msgspec.Struct, frozen=True):
    """A request in another dialect."""

    body: bytes
    dropped: tuple[str, ...]
    """What the target cannot say, in the client's words: for `X-Gateway-Dropped`."""
    adapted: tuple[str, ...]
    """What says something else than the client did, since the model takes no such value."""
    is_stream: bool
    streams_usage: bool
    """The client asked for a stream's usage."""


def translate_request(
    source: Dialect, target: Dialect, body: bytes, model: ModelCapabilities, *, name: str | None = None
) -> Translated:
    """
    Translate a whole body.

    Args:
        source: The client's dialect.
        target: The dialect of the model's provider, not the client's: there bytes pass through.
        body: The request as it came.
        model: What the model takes.
        name: The model's name at its provider; the client's word for it where there is no other.

    Raises:
        Untranslatable: The target cannot do what is asked, or the request is none of its dialect.
        MalformedRequest: It is no JSON object.
    """
    dropped: dict[str, None] = {}
    request = READERS[source](Node(_decoded(body), "", dropped))
    changes = Changes(source, dropped)
    if name is not None:
        request = msgspec.structs.replace(request, model=name)
    _judge(request, target, changes)
    request = adapt_request(request, target, model, changes)
    written = msgspec.json.encode(WRITERS[target](request, model))
    return Translated(written, tuple(changes.dropped), tuple(changes.adapted), request.is_stream, request.streams_usage)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("the request body is not valid JSON") from None


def _judge(request: Request, target: Dialect, changes: Changes) -> None:
    """Refuse or list what the target cannot say."""
    for feature in used_features(request):
        if feature in REFUSES[target]:
            raise Untranslatable(changes.named(feature), WHY[feature])
        if feature in DROPS[target]:
            changes.drop(feature)
    if target not in _OPENAI:
        for field, value in request.shared.items():
            changes.drop_if(value is not False, field)  # nobody else keeps answers, and so does `store: false`
