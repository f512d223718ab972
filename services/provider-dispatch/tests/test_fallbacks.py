"""One provider fails and another takes over: before anything was delivered, and after."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_provider_dispatch.domain.call import ChatCall, Piece
from tollway_provider_dispatch.domain.policy import Fallback, Rules

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
BODY = b'{"usage":{"input_tokens":1,"output_tokens":2}}'
GOOD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
PATHS = {"anthropic": "/v1/messages", "deepseek": "/anthropic/v1/messages", "huggingface": "/messages"}


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, separators=(',', ':'))}\n\n".encode()


def text(piece: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})


def start(number: int) -> bytes:
    return event("message_start", message={"id": f"msg_{number}", "usage": {"input_tokens": number}})


BLOCK = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
TOOL = event("content_block_start", index=1, content_block={"type": "tool_use", "id": "t", "name": "n", "input": {}})
ARGUMENTS = event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"a":'})
STOP = event("content_block_stop", index=0)
FINAL = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9}) + event("message_stop")
ERROR = event("error", error={"type": "overloaded_error", "message": "x"})


def chunk(*events: bytes) -> bytes:
    data = b"".join(events)
    return b"%x\r\n%s\r\n" % (len(data), data)


def whole(number: int, *pieces: str) -> bytes:
    return STREAM + chunk(start(number), BLOCK, *map(text, pieces), STOP, FINAL) + END


def refusal(status: int, body: bytes = b"{}") -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


def call(model: str = "m", **more: Any) -> ChatCall:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()
    fixed = {"header_lines": b"", "query": "", "conversation": b"c", "strip_usage_event": False}
    return ChatCall("c1", Dialect.ANTHROPIC_MESSAGES, [model], body, model, **fixed, **more)


@pytest.fixture
def say(server: Any) -> Any:
    """Answer each request with the next of these bytes, in one or several packets; a cut one ends its connection."""

    def say(*answers: bytes | tuple[bytes, ...]) -> None:
        left = iter(answers)

        async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
            said = next(left)
            packets = said if isinstance(said, tuple) else (said,)
            for packet in packets:
                writer.write(packet)
                await writer.drain()
                await asyncio.sleep(0.02)  # a packet of its own for each
            if packets[0].startswith(STREAM) and not packets[-1].endswith(END):
                writer.close()

        server.answer = answer

    return say


def asked(server: Any) -> list[str]:
    paths = {path: name for name, path in PATHS.items()}
    return [paths[request.line.split()[1]] for request in server.requests]


async def pieces_of(dispatcher: Any, it: ChatCall | None = None) -> list[Piece]:
    return [piece async for piece in dispatcher.stream(it or call())]


def joined(pieces: list[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces)


def said(pieces: list[Piece]) -> str:
    lines = [json.loads(line[6:]) for line in joined(pieces).splitlines() if line.startswith(b"data: {")]
    return "".join(line["delta"].get("text", "") for line in lines if line["type"] == "content_block_delta")


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
        assert dispatcher.cooldowns.is_quiet


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


# --- streams


async def test_a_silent_provider_is_asked_once_and_left_for_the_next(server, say, cascading):
    say(b"", whole(2, "one two three"))
    async with cascading(server.url, "anthropic", "deepseek", first_token_timeout=0.1) as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert asked(server) == ["anthropic", "deepseek"]
    assert (said(pieces), pieces[-1].usage.input, pieces[0].head.provider) == ("one two three", 2, "deepseek")
    assert [row.reason for row in pieces[-1].attempts] == ["timeout", ""]


async def test_signs_of_life_do_not_put_off_the_limit_on_the_first_token(server, say, cascading):
    pings = [chunk(event("ping"))] * 40
    say((STREAM + chunk(start(1)), *pings, END), whole(2, "one"))
    async with cascading(server.url, "anthropic", "deepseek", first_token_timeout=0.15) as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert (said(pieces), [row.reason for row in pieces[-1].attempts]) == ("one", ["timeout", ""])


async def test_a_model_that_thinks_is_given_time(server, say, cascading):
    thought = event("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""})
    pings = [chunk(event("ping"))] * 15
    say((STREAM + chunk(start(1), thought), *pings, chunk(text("one"), FINAL) + END))
    async with cascading(server.url, "anthropic", "deepseek", first_token_timeout=0.15) as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert (said(pieces), len(pieces[-1].attempts)) == ("one", 1)


BROKEN = {
    "cut": (STREAM + chunk(start(1), BLOCK, text("one two")),),
    "clean end": (STREAM + chunk(start(1), BLOCK, text("one two")), END),
    "error": (STREAM + chunk(start(1), BLOCK, text("one two")), chunk(ERROR) + END),
    "garbage": (STREAM + chunk(start(1), BLOCK, text("one two")), chunk(b"data: {oops\n\n") + END),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_stream_that_broke_off_is_taken_on_by_one_that_agrees(server, say, cascading, kind):
    say(BROKEN[kind], whole(2, "one", " two three", " four"))
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert asked(server) == ["anthropic", "deepseek"]
    assert said(pieces) == "one two three four"
    assert joined(pieces).count(b"message_start") == 2  # name and type of the one event
    end = pieces[-1].end
    assert (end.is_complete, end.stop_reason, end.provider, end.model) == (True, "end_turn", "deepseek", "m")
    assert pieces[-1].usage == Usage(2, output=9)
    rows = pieces[-1].attempts
    assert [(row.provider, str(row.outcome)) for row in rows] == [("anthropic", "broken"), ("deepseek", "succeeded")]
    # what was lost stands in its row, and is not on the client's bill
    assert rows[0].usage == Usage(1, output=2, is_estimated=True)


async def test_a_stream_that_stalls_is_taken_on_as_well(server, say, cascading):
    stalled = asyncio.Event()
    count = 0

    async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        writer.write(BROKEN["cut"][0] if count == 1 else whole(2, "one two three"))
        if count == 1:
            await stalled.wait()

    server.answer = answer
    async with cascading(server.url, "anthropic", "deepseek", stall_timeout=0.1) as dispatcher:
        pieces = await asyncio.wait_for(pieces_of(dispatcher), 5)
    assert (said(pieces), pieces[-1].end.is_complete) == ("one two three", True)


async def test_one_that_disagrees_is_left_for_the_next_and_in_the_end_for_an_honest_end(server, say, cascading):
    say(BROKEN["cut"], whole(2, "one too many"), whole(3, "one two three"))
    async with cascading(server.url, "anthropic", "deepseek", "huggingface") as dispatcher:
        pieces = await pieces_of(dispatcher)
        assert said(pieces) == "one two three"
        assert [row.reason for row in pieces[-1].attempts] == ["reset", "disagrees", ""]
        # its own opinion is no fault of a provider's
        assert set(dispatcher.cooldowns._failures) == {"anthropic/m/" + pieces[-1].attempts[0].key_fingerprint}
        say(BROKEN["cut"], whole(2, "one too many"), whole(3, "won"))
        pieces = await pieces_of(dispatcher)
    assert said(pieces) == "one two"
    assert (pieces[-1].end.is_complete, pieces[-1].end.reason) == (False, "reset")


async def test_two_in_a_row_may_break_off(server, say, cascading):
    second = (STREAM + chunk(start(2), BLOCK, text("one two thr")),)
    say(BROKEN["cut"], second, whole(3, "one two three four"))
    async with cascading(server.url, "anthropic", "deepseek", "huggingface") as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert (said(pieces), pieces[-1].end.provider) == ("one two three four", "huggingface")


async def test_a_tools_call_that_was_delivered_is_left_as_it_is(server, say, cascading):
    say((STREAM + chunk(start(1), BLOCK, text("one"), STOP, TOOL, ARGUMENTS),), whole(2, "one"))
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert asked(server) == ["anthropic"]
    assert not pieces[-1].end.is_complete


async def test_a_model_that_takes_a_prefill_is_told_how_far_the_answer_came(server, say, cascading):
    say((STREAM + chunk(start(1), BLOCK, text("one two ")),), whole(2, "three"))
    async with cascading(server.url, "anthropic", "deepseek", prefill=True) as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert said(pieces) == "one two three"
    told = json.loads(server.requests[1].body)["messages"]
    assert told[-1] == {"role": "assistant", "content": "one two"}


async def test_the_refusal_of_a_prefill_is_never_the_clients_to_read(server, say, cascading):
    refused = b'{"type":"error","error":{"type":"invalid_request_error","message":"prefill is not supported"}}'
    say(BROKEN["cut"], refusal(400, refused), refusal(400, refused))
    async with cascading(server.url, "anthropic", "deepseek", "huggingface", prefill=True) as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert b"prefill" not in joined(pieces)
    assert (said(pieces), pieces[-1].end.is_complete, pieces[-1].end.reason) == ("one two", False, "reset")
    assert [row.http_status for row in pieces[-1].attempts] == [200, 400, 400]


async def test_a_stream_that_is_delivered_whole_begins_anew_however_far_it_came(server, say, cascading):
    say(BROKEN["cut"], whole(2, "something", " else"))
    async with cascading(server.url, "anthropic", "deepseek", rules=Rules(delivery="buffered")) as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert (said(pieces), len(pieces[-1].attempts), pieces[-1].end.is_complete) == ("something else", 2, True)


async def test_leaving_while_another_takes_on_closes_its_connection(server, say, cascading):
    goes_on, count = asyncio.Event(), 0

    async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        if count == 1:
            writer.write(BROKEN["cut"][0])
            writer.close()
            return
        writer.write(STREAM + chunk(start(2), BLOCK, text("one two three")))
        await goes_on.wait()

    server.answer = answer
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        stream = dispatcher.stream(call())
        assert (await anext(stream)).head
        assert said([await anext(stream)]) == " three"
        server.left.clear()
        await stream.aclose()
        goes_on.set()
        await asyncio.wait_for(server.left.wait(), 5)
