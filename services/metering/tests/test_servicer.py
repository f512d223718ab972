"""The contract, over each kind of stub."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_pricing import load_prices
from tollway_servicekit.errors import Exhausted, InvalidRequest, NotFound
from tollway_servicekit.stubs import responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tollway_metering.settings import Settings

    Serve = Callable[[Settings], AbstractAsyncContextManager[Any]]
    Record = Callable[..., metering_pb2.CallRecord]
    Settle = Callable[..., metering_pb2.SettleCallsRequest]


def reserve(number: int = 1, **fields: Any) -> metering_pb2.ReserveCallRequest:
    values: dict[str, Any] = {"call_id": f"{number:032x}", "workspace": "default"}
    return metering_pb2.ReserveCallRequest(**(values | fields))


async def listed(stub: Any, limit: int = 1000) -> list[metering_pb2.BookedCall]:
    request = metering_pb2.ListCallsRequest(workspace="default", limit=limit)
    return list((await stub.ListCalls(request, timeout=5)).calls)


async def usage(stub: Any) -> metering_pb2.GetUsageResponse:
    return await stub.GetUsage(metering_pb2.GetUsageRequest(workspace="default"), timeout=5)


async def test_a_settled_call_is_priced_and_listed_as_it_was_told(
    serve: Serve, settings: Settings, record: Record, settle: Settle
) -> None:
    attempt = chat_pb2.Attempt(
        number=1,
        provider="anthropic",
        model="claude-haiku-4-5",
        key_fingerprint="0a1b2c3d",
        http_status=200,
        outcome=chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED,
        usage=chat_pb2.Usage(uncached_input_tokens=1000, output_tokens=200),
        started_unix_ms=1,
        duration_ms=2,
    )
    told = record(attempts=[attempt], is_streamed=True, prompt="a@1", tier="fast", saved_micro_usd=0)
    async with serve(settings) as stub:
        assert (await stub.SettleCalls(settle(told), timeout=5)).booked_count == 1
        assert (await stub.SettleCalls(settle(told), timeout=5)).booked_count == 0
        (row,) = await listed(stub)
    assert row.call == told
    assert (row.cost_micro_usd, row.is_unpriced) == (2000, False)


@pytest.mark.parametrize(
    ("fields", "cost", "is_unpriced"),
    [
        ({"provider": "simulator"}, 0, False),
        ({"provider": "simulator", "model": "unheard-of"}, 0, False),
        ({"model": "unheard-of"}, 0, True),
        ({"model": "unheard-of", "usage": chat_pb2.Usage()}, 0, False),
        ({"cache": "exact", "saved_micro_usd": 2000}, 0, False),
        ({"status": metering_pb2.CALL_STATUS_CANCELLED}, 2000, False),
    ],
)
async def test_each_call_is_charged_by_its_kind(
    serve: Serve,
    settings: Settings,
    record: Record,
    settle: Settle,
    fields: dict[str, Any],
    cost: int,
    is_unpriced: bool,
) -> None:
    async with serve(settings) as stub:
        await stub.SettleCalls(settle(record(**fields)), timeout=5)
        (row,) = await listed(stub)
        assert (row.cost_micro_usd, row.is_unpriced) == (cost, is_unpriced)
        assert (await usage(stub)).cost_micro_usd == cost


async def test_failed_attempts_are_not_the_clients_bill(
    serve: Serve, settings: Settings, record: Record, settle: Settle
) -> None:
    lost = chat_pb2.Attempt(number=1, model="claude-opus-5", usage=chat_pb2.Usage(output_tokens=10_000))
    async with serve(settings) as stub:
        failed = record(
            status=metering_pb2.CALL_STATUS_FAILED, model="", provider="", usage=chat_pb2.Usage(), attempts=[lost]
        )
        await stub.SettleCalls(settle(failed), timeout=5)
        answer = await usage(stub)
        assert (answer.calls, answer.failed_calls) == (1, 1)
        assert (answer.cost_micro_usd, answer.month_tokens) == (0, 0)
        assert (await listed(stub))[0].call.attempts[0].usage.output_tokens == 10_000


async def test_usage_tells_sums_cap_and_month(serve: Serve, settings: Settings, record: Record, settle: Settle) -> None:
    async with serve(replace(settings, monthly_token_cap=5000)) as stub:
        hit = record(2, cache="exact", saved_micro_usd=70)
        await stub.SettleCalls(settle(record(1), hit), timeout=5)
        answer = await usage(stub)
    assert (answer.calls, answer.cache_hits, answer.saved_micro_usd) == (2, 1, 70)
    assert (answer.monthly_token_cap, answer.month_tokens) == (5000, 1200)
    assert answer.usage == chat_pb2.Usage(uncached_input_tokens=1000, output_tokens=200)


async def test_settling_gives_back_what_was_reserved_and_not_used(
    serve: Serve, settings: Settings, record: Record, settle: Settle
) -> None:
    async with serve(replace(settings, monthly_token_cap=5000)) as stub:
        request = reserve(input_tokens=1000, output_tokens=4000)
        assert (await stub.ReserveCall(request, timeout=5)).reserved_tokens == 5000
        with pytest.raises(Exhausted) as refusal:
            await stub.ReserveCall(reserve(2, output_tokens=1), timeout=5)
        assert refusal.value.reason == "QUOTA_EXCEEDED"
        assert refusal.value.metadata["retryable"] == "true"
        await stub.SettleCalls(settle(record(1)), timeout=5)
        assert (await stub.ReserveCall(reserve(2, output_tokens=3800), timeout=5)).reserved_tokens == 3800


async def test_a_workspace_that_does_not_exist_is_told_so(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub:
        for call in (
            stub.ReserveCall(reserve(workspace="x"), timeout=5),
            stub.GetUsage(metering_pb2.GetUsageRequest(workspace="x"), timeout=5),
            stub.ListCalls(metering_pb2.ListCallsRequest(workspace="x", limit=1), timeout=5),
        ):
            with pytest.raises(NotFound) as missing:
                await call
            assert missing.value.reason == "WORKSPACE_UNKNOWN"


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_limit_out_of_range_is_refused(serve: Serve, settings: Settings, limit: int) -> None:
    async with serve(settings) as stub:
        with pytest.raises(InvalidRequest, match="LIMIT_INVALID"):
            await listed(stub, limit)


@pytest.mark.parametrize(
    "fields",
    [
        {"call_id": "abcd"},
        {"status": metering_pb2.CALL_STATUS_UNSPECIFIED},
        {"usage": chat_pb2.Usage(output_tokens=-1)},
        {"usage": chat_pb2.Usage(output_tokens=2**62)},
        {"attempts": [chat_pb2.Attempt(usage=chat_pb2.Usage(cache_read_tokens=-5))]},
        {"saved_micro_usd": -1},
    ],
)
async def test_a_record_that_breaks_the_contract_books_nothing(
    serve: Serve, settings: Settings, record: Record, settle: Settle, fields: dict[str, Any]
) -> None:
    async with serve(settings) as stub:
        with pytest.raises(InvalidRequest, match="CALL_INVALID"):
            await stub.SettleCalls(settle(record(1), record(2, **fields)), timeout=5)
        assert await listed(stub) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda columns: columns.kind_indexes.append(0),
        lambda columns: columns.kind_indexes.__setitem__(0, 1),
        lambda columns: columns.kind_indexes.__setitem__(0, -1),
        lambda columns: columns.ClearField("duration_ms"),
        lambda columns: columns.usage.ClearField("estimated"),
        lambda columns: columns.attempt_counts.__setitem__(0, 2),
        lambda columns: columns.attempt_counts.__setitem__(0, 0),
        lambda columns: columns.attempt_counts.__setitem__(0, -1),
        lambda columns: columns.attempts.kind_indexes.__setitem__(0, 1),
        lambda columns: columns.attempts.usage.output_tokens.append(1),
    ],
)
async def test_columns_that_do_not_fit_together_book_nothing(
    serve: Serve, settings: Settings, record: Record, settle: Settle, change: Callable[[Any], None]
) -> None:
    request = settle(record(attempts=[chat_pb2.Attempt(number=1)]))
    change(request.columns)
    async with serve(settings) as stub:
        with pytest.raises(InvalidRequest, match="CALL_INVALID"):
            await stub.SettleCalls(request, timeout=5)
        assert await listed(stub) == []


async def test_a_refused_batch_names_the_call_that_breaks_the_contract(
    serve: Serve, settings: Settings, record: Record, settle: Settle
) -> None:
    fine = chat_pb2.Attempt(number=1)
    bad = chat_pb2.Attempt(number=2, usage=chat_pb2.Usage(output_tokens=-1))
    request = settle(record(1, attempts=[fine]), record(2), record(3, attempts=[fine, bad]), record(4, attempts=[fine]))
    async with serve(settings) as stub:
        with pytest.raises(InvalidRequest, match=f"call {3:032x}: a token count is negative"):
            await stub.SettleCalls(request, timeout=5)


@pytest.mark.parametrize("fields", [{"input_tokens": -1}, {"output_tokens": -1}, {"call_id": ""}])
async def test_a_reservation_that_breaks_the_contract_is_refused(
    serve: Serve, settings: Settings, fields: dict[str, Any]
) -> None:
    async with serve(replace(settings, monthly_token_cap=10)) as stub:
        with pytest.raises(InvalidRequest, match="CALL_INVALID"):
            await stub.ReserveCall(reserve(**fields), timeout=5)


async def test_calls_that_have_their_kind_in_common_keep_their_own_figures(
    serve: Serve, settings: Settings, record: Record, settle: Settle
) -> None:
    records = [record(number, duration_ms=number, usage=chat_pb2.Usage(output_tokens=number)) for number in (1, 2, 3)]
    request = settle(*records)
    del request.columns.kinds[1:]
    request.columns.kind_indexes[:] = [0, 0, 0]
    async with serve(settings) as stub:
        assert (await stub.SettleCalls(request, timeout=5)).booked_count == 3
        assert [row.call for row in await listed(stub)] == records[::-1]


async def test_a_long_name_from_a_client_does_not_bloat_its_row(
    serve: Serve, settings: Settings, record: Record, settle: Settle
) -> None:
    async with serve(settings) as stub:
        await stub.SettleCalls(settle(record(requested_model="m" * 100_000)), timeout=5)
        assert len((await listed(stub))[0].call.requested_model) == 256


async def test_the_watch_tells_workspaces_and_prices_at_once(serve: Serve, settings: Settings, key: str) -> None:
    async with (
        serve(replace(settings, monthly_token_cap=9)) as stub,
        responses(stub.WatchWorkspaces(metering_pb2.WatchWorkspacesRequest(), timeout=5)) as states,
    ):
        state = await anext(states)
    assert state.revision == 1
    assert list(state.workspaces) == [
        metering_pb2.Workspace(name="default", key_digests=[hashlib.sha256(key.encode()).digest()], monthly_token_cap=9)
    ]
    assert len(state.prices) == len(load_prices())
    assert key.encode() not in state.SerializeToString()
