"""Every try that began is closed in the ledger, whoever it was that broke off."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tollway.chat.v1 import chat_pb2
from tollway_dialects.usage import Usage
from tollway_edge.adapters.ledger_columns import to_request
from tollway_edge.adapters.ledger_records import Records
from tollway_edge.domain.call import CallStatus
from tollway_edge.domain.workspaces import Workspace

RUNNING = chat_pb2.Attempt(number=1, provider="anthropic", model="m", key_fingerprint="ab", http_status=200)
ENDED = chat_pb2.Attempt(
    number=1,
    provider="anthropic",
    model="m",
    outcome=chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED,
    usage=chat_pb2.Usage(uncached_input_tokens=7, output_tokens=3),
)


def booked(call: Any) -> list[chat_pb2.Attempt]:
    columns = to_request([Records().of(call, 0)]).columns.attempts
    attempts = []
    for place, index in enumerate(columns.kind_indexes):
        kind, usage = columns.kinds[index], columns.usage
        fields = {field.name: getattr(kind, field.name) for field in kind.DESCRIPTOR.fields}
        tokens = {field.name: getattr(usage, field.name)[place] for field in usage.DESCRIPTOR.fields}
        times = {"started_unix_ms": columns.started_unix_ms[place], "duration_ms": columns.duration_ms[place]}
        attempts.append(chat_pb2.Attempt(**fields, **times, usage=chat_pb2.Usage(**tokens)))
    return attempts


def dispatched(make_call: Any, status: CallStatus, *attempts: chat_pb2.Attempt) -> Any:
    call = make_call(workspace=Workspace("acme"))
    call.is_dispatched, call.models, call.attempts = True, ("m",), attempts
    call.usage = Usage(7, output=3, is_estimated=True)
    call.end(status)
    return call


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (CallStatus.CANCELLED, chat_pb2.ATTEMPT_OUTCOME_CANCELLED, "client_left"),
        (CallStatus.FAILED, chat_pb2.ATTEMPT_OUTCOME_BROKEN, "dispatch_lost"),
    ],
)
async def test_a_try_that_ran_is_closed_with_what_was_spent(
    make_call: Any, status: CallStatus, outcome: int, reason: str
) -> None:
    (attempt,) = booked(dispatched(make_call, status, RUNNING))
    assert (attempt.outcome, attempt.reason, attempt.provider) == (outcome, reason, "anthropic")
    assert (attempt.usage.uncached_input_tokens, attempt.usage.output_tokens) == (7, 3)


@pytest.mark.parametrize("status", [CallStatus.CANCELLED, CallStatus.FAILED, CallStatus.SUCCEEDED])
async def test_a_try_that_has_ended_stays_as_it_was_told(make_call: Any, status: CallStatus) -> None:
    assert booked(dispatched(make_call, status, ENDED)) == [ENDED]


async def test_a_client_that_left_before_any_word_of_the_try_has_one_all_the_same(make_call: Any) -> None:
    (attempt,) = booked(dispatched(make_call, CallStatus.CANCELLED))
    assert (attempt.model, attempt.outcome) == ("m", chat_pb2.ATTEMPT_OUTCOME_CANCELLED)


async def test_a_call_that_was_refused_before_any_try_has_none(make_call: Any) -> None:
    assert booked(dispatched(make_call, CallStatus.FAILED)) == []


@pytest.mark.parametrize("outcome", ["succeeded", "refused", "broken"])
async def test_an_attempt_as_a_value_is_booked_as_one_that_came_in_a_message(make_call: Any, outcome: str) -> None:
    told = {"number": 2, "provider": "anthropic", "model": "m", "key_fingerprint": "ab", "http_status": 200}
    told |= {"reason": "status_529", "started_unix_ms": 5, "duration_ms": 7}
    value = SimpleNamespace(**told, outcome=outcome, usage=Usage(7, output=3))
    number = chat_pb2.AttemptOutcome.Value(f"ATTEMPT_OUTCOME_{outcome.upper()}")
    usage = chat_pb2.Usage(uncached_input_tokens=7, output_tokens=3)
    message = chat_pb2.Attempt(**told, outcome=number, usage=usage)
    one, other = (booked(dispatched(make_call, CallStatus.SUCCEEDED, each)) for each in (value, message))
    assert one == other == [message]


async def test_an_attempt_as_a_value_that_ran_is_closed(make_call: Any) -> None:
    told = {"number": 1, "provider": "anthropic", "model": "m", "key_fingerprint": "ab", "http_status": 200}
    value = SimpleNamespace(**told, outcome="running", reason="", started_unix_ms=5, duration_ms=0, usage=Usage())
    (attempt,) = booked(dispatched(make_call, CallStatus.CANCELLED, value))
    assert (attempt.outcome, attempt.reason) == (chat_pb2.ATTEMPT_OUTCOME_CANCELLED, "client_left")
    assert (attempt.usage.uncached_input_tokens, attempt.started_unix_ms) == (7, 5)
