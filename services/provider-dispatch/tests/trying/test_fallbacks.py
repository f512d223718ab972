"""One provider fails and another takes over before anything was delivered."""

from __future__ import annotations

import logging

import pytest
from saying import GOOD, asked, call, pieces_of, refusal
from tollway_dialects.usage import Usage
from tollway_provider_dispatch.domain.candidate import Route
from tollway_provider_dispatch.domain.policy import Fallback, Rules
from tollway_provider_dispatch.domain.trying.tries import Tries
from tollway_provider_dispatch.domain.trying.verdict import Fault, Verdict

# --- whole answers


async def test_the_next_provider_answers_and_the_answer_says_so(server, say, cascading, caplog):
    say(*[refusal(529)] * 3, GOOD)
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        piece = await dispatcher.complete(call())
    assert asked(server) == ["anthropic"] * 3 + ["deepseek"]
    assert (piece.head.provider, piece.head.model, piece.usage) == ("deepseek", "m", Usage(1, output=2))
    assert piece.head.fallback == "from=anthropic/m; to=deepseek/m; reason=status_529"
    (warning,) = [each for each in caplog.records if "falling through" in each.message]
    assert warning.levelno == logging.WARNING
    assert warning.message == "anthropic/m failed (status_529): falling through to deepseek/m"


async def test_where_nobody_is_left_each_candidate_is_told_with_its_last_reason(server, say, cascading):
    say(refusal(401), *[refusal(503)] * 4)
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        piece = await dispatcher.complete(call())
    assert piece.head is None
    assert piece.failure.reason == "PROVIDERS_EXHAUSTED"
    assert piece.failure.message == (
        "no provider could answer (anthropic/m: status_401; deepseek/m: status_503); try again"
    )
    assert 0 < piece.failure.retry_after_ms < 60_000
    assert len(piece.attempts) == 5


async def test_an_open_breaker_is_passed_over_and_told(server, say, cascading):
    say(*[refusal(503)] * 4, GOOD, refusal(503), GOOD, GOOD)
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        for _ in range(3):
            piece = await dispatcher.complete(call())
    assert asked(server) == ["anthropic"] * 4 + ["deepseek", "anthropic", "deepseek", "deepseek"]
    assert piece.head.fallback == "from=anthropic/m; to=deepseek/m; reason=left alone after status_503"


async def test_a_sole_provider_whose_breaker_is_open_is_not_asked_and_when_to_come_again_is_told(
    server, say, cascading
):
    say(*[refusal(503)] * 8)
    async with cascading(server.url, "anthropic") as dispatcher:
        for _ in range(2):
            await dispatcher.complete(call())
        count = len(server.requests)
        piece = await dispatcher.complete(call())
        (streamed,) = await pieces_of(dispatcher)
    assert len(server.requests) == count
    for each in (piece, streamed):
        assert each.failure.message == "no provider could answer (anthropic/m: left alone after status_503); try again"
        assert 4000 < each.failure.retry_after_ms <= 5000


async def test_a_sole_key_that_is_refused_is_asked_again_since_nobody_else_could_answer(server, say, cascading):
    say(refusal(401), refusal(401), GOOD)
    async with cascading(server.url, "anthropic") as dispatcher:
        reasons = [(await dispatcher.complete(call())).failure for _ in range(2)]
        assert [each.reason for each in reasons] == ["PROVIDER_CREDENTIALS"] * 2
        assert (await dispatcher.complete(call())).head.status == 200
        assert dispatcher.cooldowns.is_quiet()


async def test_a_call_waits_for_a_sole_key_that_rests_for_a_moment(server, say, cascading):
    say(refusal(429, b'{"error":{"details":[{"retryDelay":"2s"}]}}'), GOOD, GOOD)
    async with cascading(server.url, "anthropic") as dispatcher:
        await dispatcher.complete(call())
        waited = len(dispatcher._trying.clock.waits)
        dispatcher.cooldowns.replace([])
        assert waited == 1
        assert (await dispatcher.complete(call())).head.status == 200


async def test_a_prompt_that_is_too_long_goes_to_a_larger_model_where_one_may_stand_in(server, say, cascading):
    too_long = refusal(
        400, b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9"}}'
    )
    say(too_long, GOOD, too_long)
    async with cascading(server.url, "anthropic", rules=Rules(fallback=Fallback.CASCADE), context=100) as dispatcher:
        piece = await dispatcher.complete(call())
    assert (piece.head.model, piece.head.body_changes) == ("large", ("model",))
    async with cascading(server.url, "anthropic", context=100) as dispatcher:
        assert (await dispatcher.complete(call())).head.status == 400
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_refusal_of_the_request_reaches_the_client_after_one_try(server, say, cascading, status):
    reason = b'{"error":{"type":"invalid_request_error","message":"content policy"}}'
    say(refusal(status, reason))
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        piece = await dispatcher.complete(call())
    assert (piece.head.status, piece.data, len(piece.attempts)) == (status, reason, 1)


async def test_a_client_may_come_again_where_one_candidate_failed_for_a_moment_and_the_last_refused_its_key(
    server, say, cascading
):
    say(*[refusal(503)] * 4, refusal(401))
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        piece = await dispatcher.complete(call())
    assert piece.failure.reason == "PROVIDERS_EXHAUSTED"
    assert piece.failure.retry_after_ms > 0


async def test_each_reason_stands_by_its_own_candidate_and_who_does_not_rest_is_asked_again_soon(
    server, say, cascading
):
    say(GOOD)
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        first, second = dispatcher.chain.candidates(["m"], call().dialect)
        limited = Fault(Verdict.RATE_LIMITED, "status_429", 40.0)
        await dispatcher.cooldowns.failed(Route(second, second.provider.keys[0]), limited)
        failure = Tries.of(call(), [first, second], dispatcher._trying).nobody().failure
    assert "(deepseek/m: left alone after status_429)" in failure.message
    assert failure.retry_after_ms == 1000
