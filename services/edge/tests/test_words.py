"""Tiers, headers, credentials and workspaces: the small words that the pipeline is made of."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from tollway_dialects.header_lines import from_lines
from tollway_dialects.request import RequestBody
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.headers import JSON, error_headers, gateway_headers, own_headers
from tollway_edge.domain.tiers import Tier, Tiers
from tollway_edge.domain.workspaces import Workspace, Workspaces, digest_of
from tollway_edge.entrypoints.request_headers import RequestHeaders
from tollway_pricing.table import PriceTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_edge.domain.call import Call

STANDARD = Tier("standard", ("moderate", "Balanced"), ("named",), ("classified",))
SIMPLE = Tier("simple", ("fast",), ("small",), ("small",))


@pytest.mark.parametrize("name", ["standard", "Standard", "MODERATE", "balanced", "Balanced"])
def test_a_tier_is_found_by_every_name_in_any_case(name: str) -> None:
    assert Tiers([SIMPLE, STANDARD]).find(name) is STANDARD


def test_a_models_own_name_is_no_tier() -> None:
    assert Tiers([SIMPLE, STANDARD]).find("named") is None


def test_a_tier_that_the_table_lacks_is_the_middle_one() -> None:
    tiers = Tiers([SIMPLE, STANDARD])
    assert tiers.classified("critical") is STANDARD
    assert tiers.classified("simple") is SIMPLE
    assert tiers.names[0] == "auto"


@pytest.mark.parametrize(
    ("micro_usd", "text"),
    [(0, b"0.000000"), (1, b"0.000001"), (999_999, b"0.999999"), (1_000_000, b"1.000000"), (12_345_678, b"12.345678")],
)
def test_savings_have_six_decimals(make_call: Callable[..., Call], micro_usd: int, text: bytes) -> None:
    call = make_call()
    call.saved_micro_usd = micro_usd
    assert dict(from_lines(gateway_headers(call)))[b"x-gateway-saved-usd"] == text


@pytest.mark.parametrize(
    ("model", "value"),
    [
        ("claude-haiku", b"claude-haiku"),
        ("a\r\nset-cookie: b", b"aset-cookie: b"),
        ("a\x00b\x7fc", b"abc"),
        ("modèle→", b"modle"),
        ("", b"n/a"),
        ("→", b"n/a"),
        ("m" * 300, b"m" * 200),
    ],
)
def test_a_models_name_cannot_break_out_of_its_header(make_call: Callable[..., Call], model: str, value: bytes) -> None:
    call = make_call()
    call.requested_model = model
    assert dict(from_lines(gateway_headers(call)))[b"x-gateway-model"] == value


def test_what_was_changed_in_the_body_is_told_and_nothing_where_nothing_was(make_call: Callable[..., Call]) -> None:
    call = make_call()
    call.body = RequestBody(b"{}", {})
    assert b"x-gateway-body-changes" not in dict(from_lines(gateway_headers(call)))
    call.body.changes.append("prompt")
    call.body_changes = ["model"]
    assert dict(from_lines(gateway_headers(call)))[b"x-gateway-body-changes"] == b"prompt, model"


def test_a_providers_headers_stand_before_ours(make_call: Callable[..., Call]) -> None:
    call = make_call()
    call.model = "claude-haiku"
    told = b"request-id: req_1\r\nx-note: na\xefve \xe2\x86\x92 yes\r\n"
    headers = from_lines(gateway_headers(call, told))
    assert headers[:2] == [(b"request-id", b"req_1"), (b"x-note", b"na\xefve \xe2\x86\x92 yes")]
    assert dict(headers[2:])[b"x-gateway-model"] == b"claude-haiku"


@pytest.mark.parametrize(
    ("retry_after", "told"),
    [
        (None, {b"x-should-retry": b"false"}),
        (0.2, {b"x-should-retry": b"true", b"retry-after": b"1"}),
        (2, {b"x-should-retry": b"true", b"retry-after": b"2"}),
        (2.1, {b"x-should-retry": b"true", b"retry-after": b"3"}),
    ],
)
def test_an_error_tells_whether_to_come_again_and_when(
    make_call: Callable[..., Call], retry_after: float | None, told: dict[bytes, bytes]
) -> None:
    error = GatewayError(GatewayErrorKind.UNAVAILABLE, "AWAY", "away", retry_after)
    headers = dict(from_lines(error_headers(make_call(), error)))
    assert {name: headers[name] for name in (b"x-should-retry", b"retry-after") if name in headers} == told
    assert headers[b"content-type"] == b"application/json"


@pytest.mark.parametrize(("dialect", "name"), [("anthropic", b"request-id"), ("openai", b"x-request-id")])
def test_the_gateways_own_answer_has_the_dialects_request_id(
    make_call: Callable[..., Call], dialect: str, name: bytes
) -> None:
    call = make_call(dialect)
    headers = dict(from_lines(own_headers(call, JSON)))
    assert headers[name] == b"req_" + call.call_id.encode()
    assert headers[b"x-gateway-query-id"] == call.call_id[-8:].encode()


def directory(*keys: str) -> dict[bytes, Workspace]:
    return {hashlib.sha256(key.encode()).digest(): Workspace(f"of {key}") for key in keys}


def refusal(workspaces: Workspaces, credential: str) -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        workspaces.authenticate(digest_of(credential))
    return refused.value


def test_before_the_first_snapshot_nobody_is_refused_for_good() -> None:
    error = refusal(Workspaces(), "tw_a")
    assert (error.kind.status, error.reason, error.retry_after) == (503, "WORKSPACES_UNKNOWN", 2)


@pytest.mark.parametrize(
    ("credential", "reason"), [("", "KEY_MISSING"), ("tw_b", "KEY_UNKNOWN"), ("é\udcff", "KEY_UNKNOWN")]
)
def test_a_key_that_is_missing_or_unknown_is_refused_and_not_repeated(credential: str, reason: str) -> None:
    workspaces = Workspaces()
    workspaces.replace(directory("tw_a"), PriceTable([]))
    error = refusal(workspaces, credential)
    assert (error.kind.status, error.reason, error.retry_after) == (401, reason, None)
    assert "tw_b" not in error.message


def test_a_new_snapshot_takes_effect_at_once() -> None:
    workspaces = Workspaces()
    workspaces.replace(directory("tw_a"), PriceTable([]))
    assert workspaces.authenticate(digest_of("tw_a")).name == "of tw_a"
    workspaces.replace(directory("tw_b"), PriceTable([]))
    assert refusal(workspaces, "tw_a").reason == "KEY_UNKNOWN"
    assert workspaces.authenticate(digest_of("tw_b")).name == "of tw_b"


@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ([(b"x-api-key", b" tw_a ")], "tw_a"),
        ([(b"authorization", b"Bearer tw_a")], "tw_a"),
        ([(b"authorization", b"bearer  tw_a ")], "tw_a"),
        ([(b"authorization", b"Basic dHdfYQ==")], ""),
        ([(b"authorization", b"Bearer tw_b"), (b"x-api-key", b"tw_a")], "tw_a"),
        ([(b"x-api-key", b"tw_a"), (b"authorization", b"Bearer tw_b")], "tw_a"),
        ([], ""),
    ],
)
def test_a_key_is_taken_from_either_header(headers: list[tuple[bytes, bytes]], credential: str) -> None:
    assert RequestHeaders.read(headers).key_digest == digest_of(credential)


def test_keys_and_cookies_never_go_on_to_a_provider() -> None:
    read = RequestHeaders.read(
        [
            (b"x-api-key", b"tw_a"),
            (b"authorization", b"Bearer tw_a"),
            (b"cookie", b"a=b"),
            (b"anthropic-beta", b"files"),
        ]
    )
    assert read.forwarded.lines == b"anthropic-beta: files\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize("value", [b"\xe9", b"00-abc", b"a\tb", b"x" * 55])
def test_what_is_no_trace_is_not_taken_for_one(value: bytes) -> None:
    trace = b"00-" + b"4" * 32 + b"-" + b"7" * 16 + b"-01"
    assert RequestHeaders.read([(b"traceparent", value)]).traceparent == ""
    assert RequestHeaders.read([(b"traceparent", trace)]).traceparent == trace.decode()
