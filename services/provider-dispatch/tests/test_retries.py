"""Several tries in one call: whole answers and streams, whose beginnings are kept back until a model speaks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_provider_dispatch.domain import opening
from tollway_provider_dispatch.domain.call import ChatCall, Piece

MESSAGES, CHAT = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT
BODY = b'{"usage":{"input_tokens":1,"output_tokens":2,"prompt_tokens":1,"completion_tokens":2}}'
GOOD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
START = b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":7}}}\n\n'
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
TEXT = b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"12345678"}}\n\n'
FINAL = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
ERROR = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n'


def refusal(status: int, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\n%scontent-length: 2\r\n\r\n{}" % (status, headers)


def chunk(*events: bytes) -> bytes:
    data = b"".join(events)
    return b"%x\r\n%s\r\n" % (len(data), data)


def call(dialect: Dialect = MESSAGES, **more: Any) -> ChatCall:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]}).encode()
    return ChatCall("c1", dialect, ["m"], body, "m", b"", "", b"c", strip_usage_event=False, **more)


ESTIMATE = Usage(uncached_input=len(call().body) // 4, is_estimated=True)


def say_in_turn(server: Any, *answers: bytes) -> None:
    """Answer each request with the next of these bytes; nothing closes the connection."""
    left = iter(answers)

    async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
        said = next(left)
        writer.write(said)
        if not said or (said.startswith(STREAM) and not said.endswith(b"0\r\n\r\n")):
            writer.close()

    server.answer = answer


async def pieces_of(dispatcher: Any, asked: ChatCall | None = None) -> list[Piece]:
    return [piece async for piece in dispatcher.stream(asked or call())]


def rows(piece: Piece) -> list[tuple[int, int, str, str]]:
    return [(row.number, row.http_status, str(row.outcome), row.reason) for row in piece.attempts]


async def test_a_fault_of_a_moment_is_tried_again_and_every_try_has_its_row(server, dispatching):
    say_in_turn(server, refusal(500), b"", GOOD)
    async with dispatching(server.url) as dispatcher:
        piece = await dispatcher.complete(call())
    assert (piece.data, piece.usage) == (BODY, Usage(1, output=2))
    assert rows(piece) == [(1, 500, "refused", "status_500"), (2, 0, "broken", "reset"), (3, 200, "succeeded", "")]
    # what was lost on the way stands in its own row, and is not the client's to pay
    assert [row.usage for row in piece.attempts] == [Usage(), ESTIMATE, piece.usage]
    assert [round(wait * 2) for wait in dispatcher._clock.waits] in ([1, 2], [0, 1], [1, 1], [0, 2])


async def test_retry_after_is_waited_for(server, dispatching):
    say_in_turn(server, refusal(429, b"retry-after: 2\r\n"), GOOD)
    async with dispatching(server.url) as dispatcher:
        assert (await dispatcher.complete(call())).head.status == 200
        (wait,) = dispatcher._clock.waits
    assert 2 <= wait <= 2.2


async def test_a_rate_limit_moves_the_call_to_the_next_key(server, dispatching):
    say_in_turn(server, refusal(429, b"retry-after: 60\r\n"), refusal(401), GOOD)
    async with dispatching(server.url, "sk-1", "sk-2", "sk-3") as dispatcher:
        piece = await dispatcher.complete(call())
        assert dispatcher._clock.waits == []
    assert piece.head.status == 200
    assert len({row.key_fingerprint for row in piece.attempts}) == 3
    assert len({dict(request.headers)["x-api-key"] for request in server.requests}) == 3


async def test_no_time_is_left_for_a_try_beyond_the_deadline(server, dispatching):
    say_in_turn(server, refusal(500), GOOD)
    async with dispatching(server.url) as dispatcher:
        piece = await dispatcher.complete(call(deadline=dispatcher._clock.now() + 0.1))
    assert (piece.head.status, len(server.requests)) == (500, 1)


async def test_an_error_in_a_body_of_status_200_is_no_answer(server, dispatching):
    body = b'{"error":{"code":502,"message":"Provider disconnected"}}'
    say_in_turn(server, b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body), GOOD)
    async with dispatching(server.url) as dispatcher:
        piece = await dispatcher.complete(call(CHAT))
    assert piece.data == BODY
    assert rows(piece)[0] == (1, 200, "refused", "error_in_body")


@pytest.mark.parametrize(
    ("first", "row"),
    [
        (refusal(500), (1, 500, "refused", "status_500")),
        (b"", (1, 0, "broken", "reset")),
        (STREAM, (1, 200, "broken", "reset")),
        (STREAM + chunk(START, PING), (1, 200, "broken", "reset")),
        (STREAM + chunk(START) + b"0\r\n\r\n", (1, 200, "broken", "ended_early")),
        (STREAM + chunk(START, ERROR), (1, 200, "broken", "overloaded_error")),
        (STREAM + chunk(START, TEXT, ERROR), (1, 200, "broken", "overloaded_error")),
        (STREAM + chunk(START, b"data: {oops\n\n"), (1, 200, "broken", "malformed_event")),
    ],
    ids=["status", "closed", "head", "start", "clean end", "error", "error after text", "garbage"],
)
async def test_a_stream_that_broke_before_anything_was_delivered_begins_anew(server, dispatching, first, row):
    say_in_turn(server, first, STREAM + chunk(START, TEXT, FINAL) + b"0\r\n\r\n")
    async with dispatching(server.url) as dispatcher:
        head, *others = await pieces_of(dispatcher)
    assert head.head.status == 200
    assert b"".join(piece.data for piece in [head, *others]) == START + TEXT + FINAL
    assert others[-1].end.is_complete
    assert rows(others[-1]) == [row, (2, 200, "succeeded", "")]
    assert [piece.head for piece in others] == [None] * len(others)


async def test_what_came_is_delivered_where_nobody_else_is_left(server, dispatching):
    say_in_turn(server, *[STREAM + chunk(START, TEXT, ERROR)] * 3)
    async with dispatching(server.url) as dispatcher:
        head, last = await pieces_of(dispatcher)
    assert (head.head.status, head.end, last.head) == (200, None, None)
    assert (last.data, last.end.is_complete, last.end.reason) == (START + TEXT + ERROR, False, "overloaded_error")
    assert [row.usage.output for row in last.attempts] == [2, 2, 2]
    assert last.usage == last.attempts[-1].usage


async def test_a_stream_that_never_began_is_a_failure(server, dispatching):
    say_in_turn(server, *[STREAM + chunk(START)] * 4)
    async with dispatching(server.url) as dispatcher:
        (piece,) = await pieces_of(dispatcher)
    assert piece.failure.message == "provider anthropic did not answer (reset); try again"
    assert [row.usage.input for row in piece.attempts] == [7] * 4


async def test_signs_of_life_alone_are_handed_on_after_a_while(server, dispatching, monkeypatch):
    monkeypatch.setattr(opening, "HOLD_SECONDS", 0.0)
    goes_on = asyncio.Event()

    async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + chunk(START, PING))
        await goes_on.wait()
        writer.write(chunk(TEXT, FINAL) + b"0\r\n\r\n")

    server.answer = answer
    async with dispatching(server.url) as dispatcher:
        stream = dispatcher.stream(call())
        head = await asyncio.wait_for(anext(stream), 5)
        assert head.data == START + PING
        goes_on.set()
        assert b"".join([piece.data async for piece in stream]) == TEXT + FINAL


async def test_being_cancelled_between_two_tries_ends_the_call(server, dispatching):
    say_in_turn(server, refusal(500), GOOD)
    async with dispatching(server.url) as dispatcher:
        waiting = asyncio.Event()

        async def sleep(_: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

        dispatcher._clock.sleep = sleep
        asked = asyncio.create_task(dispatcher.complete(call()))
        await asyncio.wait_for(waiting.wait(), 5)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    assert len(server.requests) == 1
