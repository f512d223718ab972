"""What of a call goes into the ledger, and in which columns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_dialects.messages import DIALECT_NUMBERS
from tollway_dialects.usage import Usage
from tollway_edge import bootstrap
from tollway_edge.adapters.ledger_client import LedgerClient
from tollway_edge.adapters.ledger_columns import to_request
from tollway_edge.adapters.ledger_records import Records
from tollway_edge.domain.call import CallStatus
from tollway_edge.domain.workspaces import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_edge.domain.call import Call

    Finished = Callable[..., Call]


@pytest.fixture
def finished(make_call: Finished) -> Finished:
    """Return a function that makes a call of workspace acme."""
    return lambda **fields: make_call(workspace=Workspace("acme"), **fields)


async def test_who_leaves_early_gets_the_running_attempt_closed(finished: Finished) -> None:
    booked = []
    for is_dispatched, attempts in ((False, []), (True, []), (True, [chat_pb2.Attempt(number=2, provider="p")])):
        call = finished(is_dispatched=is_dispatched, models=["m"], attempts=attempts)
        call.end(CallStatus.CANCELLED, "CLIENT_LEFT")
        attempts = to_request([Records().of(call, 0)]).columns.attempts
        booked.append(
            [
                (kind.number, kind.provider, kind.outcome, estimated)
                for kind, estimated in zip(attempts.kinds, attempts.usage.estimated, strict=True)
            ]
        )
    cancelled = chat_pb2.ATTEMPT_OUTCOME_CANCELLED
    assert booked == [[], [(1, "", cancelled, True)], [(2, "p", cancelled, True)]]


async def test_a_call_is_booked_with_everything_that_is_known_of_it(serve: Any, finished: Finished) -> None:
    told = {"requested_model": "auto", "model": "m", "provider": "p", "tier": "fast", "classifier": "heuristic"}
    told |= {"cache": "none", "http_status": 200, "prompt": "brief@4"}
    tokens = {"uncached_input_tokens": 1, "cache_write_short_tokens": 2, "cache_write_long_tokens": 3}
    tokens |= {"cache_read_tokens": 4, "output_tokens": 5, "reasoning_tokens": 6, "estimated": True}
    tried = {"number": 1, "provider": "p", "model": "p/m", "key_fingerprint": "0a1b2c3d", "http_status": 529}
    tried |= {"outcome": chat_pb2.ATTEMPT_OUTCOME_REFUSED, "reason": "overloaded"}
    attempt = chat_pb2.Attempt(**tried, usage=chat_pb2.Usage(**tokens), started_unix_ms=8, duration_ms=9)
    usage = Usage(1, 2, 3, 4, 5, 6, is_estimated=True)
    call = finished(**told, usage=usage, saved_micro_usd=7, attempts=[attempt], is_stream=True)
    call.end(CallStatus.FAILED, "OVERLOADED")
    async with serve(bootstrap.METERING, metering_pb2.SettleCallsResponse()) as (stub, servicer):
        client = LedgerClient(stub, lambda record: None)
        client.record(call, 0)
        await client._send(list(client.records._items))
    columns = servicer.asked.columns
    assert list(columns.kinds) == [
        metering_pb2.CallKind(
            **told,
            workspace="acme",
            dialect=DIALECT_NUMBERS[call.dialect],
            is_streamed=True,
            status=metering_pb2.CALL_STATUS_FAILED,
            reason="OVERLOADED",
        )
    ]
    assert (columns.call_ids, columns.kind_indexes) == ([bytes.fromhex(call.call_id)], [0])
    assert (columns.started_unix_ms, columns.saved_micro_usd) == ([call.started_unix_ms], [7])
    assert (columns.attempt_counts, columns.attempts.kind_indexes) == ([1], [0])
    assert columns.usage == metering_pb2.UsageColumns(**{name: [value] for name, value in tokens.items()})
    assert list(columns.attempts.kinds) == [metering_pb2.AttemptKind(**tried)]
    assert (columns.attempts.started_unix_ms, columns.attempts.duration_ms) == ([8], [9])
    assert columns.attempts.usage == columns.usage


def test_what_calls_have_in_common_leaves_once(finished: Finished) -> None:
    attempts = [chat_pb2.Attempt(number=1, provider="p"), chat_pb2.Attempt(number=2, provider="q", outcome=1)]
    calls = [finished(model=model, attempts=attempts) for model in ("a", "b", "a")]
    records = Records()
    columns = to_request([records.of(call, 0) for call in calls]).columns
    assert [kind.model for kind in columns.kinds] == ["a", "b"]
    assert (columns.kind_indexes, columns.attempt_counts) == ([0, 1, 0], [2, 2, 2])
    assert [kind.provider for kind in columns.attempts.kinds] == ["p", "q"]
    assert columns.attempts.kind_indexes == [0, 1] * 3


async def test_a_count_that_no_message_holds_keeps_no_other_call_from_being_booked(
    serve: Any, finished: Finished
) -> None:
    calls = [finished(usage=Usage(output=output)) for output in (1, 10**25, 3)]
    async with serve(bootstrap.METERING, metering_pb2.SettleCallsResponse()) as (stub, servicer):
        client = LedgerClient(stub, lambda record: None)
        running = asyncio.create_task(client.records.run())
        for call in calls:
            client.record(call, 0)
        assert await client.records.flush(5)
        running.cancel()
    assert servicer.asked.columns.usage.output_tokens == [3]
    assert client.records.dropped == 1
