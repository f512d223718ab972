"""The comparison finds what differs, passes over what is never the same, and notices known differences that went."""

from __future__ import annotations

from typing import Any

import pytest
from comparing.known import Known
from comparing.verdict import judge

KNOWN = (Known("sdk *", "cut|error_*", "outcome.code", "it is meant"),)
CUT, ERROR = {"outcome": {"code": 1}}, {"outcome": {"code": 2, "seen": [1]}}
STRAIGHT = {"cut": CUT, "error_one": ERROR}
THROUGH = {"cut": {"outcome": {"code": 5}}, "error_one": {"outcome": {"code": 6, "seen": [1]}}}


def told(before: Any, after: Any) -> str:
    return judge("sdk 1", {"create": {"outcome": before}}, {"create": {"outcome": after}}, ()).trouble()


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ({"a": 1}, {"a": 2}, "outcome.a: 1 straight, 2 through"),
        ({"a": 1}, {}, "outcome.a: 1 straight, nothing through"),
        ({}, {"a": None}, "outcome.a: nothing straight, None through"),
        ([1, 2], [1, 2, 3], "outcome: '2 items' straight, '3 items' through"),
        ({"a": None}, {"a": "None"}, "outcome.a: None straight, 'None' through"),
        ({"headers": {"request-id": "req_1"}}, {"headers": {}}, "outcome.headers.request-id: 'req_1' straight"),
        ("text\u2028", "text\n", "outcome: 'text\\u2028' straight, 'text\\n' through"),
    ],
)
def test_every_difference_is_told_by_its_path(before: Any, after: Any, path: str) -> None:
    assert path in told(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("msg_0123456789abcdef", "msg_fedcba9876543210"),
        ({"created": 1_700_000_000}, {"created": 1_700_000_009}),
        ({"headers": {"date": "today"}}, {"headers": {"x-gateway-provider": "simulator"}}),
    ],
)
def test_what_is_never_the_same_twice_is_no_difference(before: Any, after: Any) -> None:
    assert told(before, after) == ""


def test_a_check_that_fails_straight_already_fails_the_suite() -> None:
    verdict = judge("sdk 1", {"create": {"failed": "boom"}}, {"create": {"failed": "boom"}}, ())
    assert (verdict.counts()["failing straight"], verdict.trouble()) == (1, "create fails straight already: boom")


def test_a_check_that_did_not_run_through_the_gateway_differs() -> None:
    assert "the check did not run" in judge("sdk 1", {"create": CUT}, {}, ()).trouble()


def test_a_known_difference_passes_and_is_counted() -> None:
    verdict = judge("sdk 1", STRAIGHT, THROUGH, KNOWN)
    assert (verdict.known, verdict.trouble()) == ({"cut": {"it is meant"}, "error_one": {"it is meant"}}, "")


def test_another_difference_of_the_same_check_is_not_known() -> None:
    verdict = judge("sdk 1", STRAIGHT, THROUGH | {"error_one": {"outcome": {"code": 6, "seen": [2]}}}, KNOWN)
    assert list(verdict.differing) == ["error_one"]


def test_a_known_difference_of_another_client_is_not_known() -> None:
    assert list(judge("js 1", STRAIGHT, THROUGH, KNOWN).differing) == ["cut", "error_one"]


def test_a_known_difference_that_is_none_any_more_fails_the_suite() -> None:
    verdict = judge("sdk 1", STRAIGHT, THROUGH | {"cut": CUT}, KNOWN)
    assert verdict.trouble() == "known, but no difference any more: cut outcome.code"
    assert verdict.trouble(is_whole=False) == ""


def test_a_known_difference_of_a_check_that_is_gone_fails_the_suite() -> None:
    assert "error_* outcome.code" in judge("sdk 1", {"cut": CUT}, {"cut": THROUGH["cut"]}, KNOWN).trouble()
