"""What a client gets instead of an error where nobody could answer and its route has a text for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.translation.encoder import AnswerContext
from tollway_dialects.translation.fixed_answer import CAN_SAY, fixed_answer

from tollway_edge.domain.headers import EVENT_STREAM, JSON, own_headers

if TYPE_CHECKING:
    from tollway_edge.domain.call import Call
    from tollway_edge.domain.ports import Client
    from tollway_edge.domain.route_texts import RouteTexts

PROVIDER = "last-resort"


def note_last_resort(call: Call, texts: RouteTexts) -> None:
    """Note what the call's client is told at worst; nothing where an answer of its dialect is no text."""
    if call.dialect in CAN_SAY:
        call.last_resort = texts.of(call.requested_model)


def takes_last_resort(call: Call, client: Client, reason: str) -> bool:
    """Say whether the client is given it instead of the error."""
    nobody_answered = reason == "PROVIDERS_EXHAUSTED" or reason.startswith("UPSTREAM_")
    return bool(call.last_resort) and nobody_answered and not client.is_begun


def send_last_resort(call: Call, client: Client) -> bool:
    """Answer as `send_whole` does, with the text; in the ledger the call is to end as the failed one that it is."""
    request = call.body.raw if call.body else b"{}"
    tells_usage = call.wants_usage_event or not call.is_stream
    context = AnswerContext(call.requested_model, 0, call.started_unix_ms // 1000, call.call_id, tells_usage, request)
    answer = fixed_answer(call.dialect, context, call.last_resort, is_stream=call.is_stream)
    call.tried = call.tried or (call.provider, call.model)
    call.provider, call.model, call.is_last_resort = PROVIDER, "", True
    call.begin_answer(200)
    return client.send_whole(200, own_headers(call, EVENT_STREAM if call.is_stream else JSON), answer)
