"""Streamed answers: handed on as they come, complete only with the dialect's final event, closed at once."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import aclosing
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.header_lines import value_of
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES
from tollway_provider_dispatch.domain.call import ChatCall, End, Outcome, Piece
from tollway_provider_dispatch.domain.trying.opening import DRAIN_SECONDS

MESSAGES, CHAT = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT
FORWARDED = b"content-type: application/json\r\nanthropic-version: 2023-06-01\r\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
FINAL = {MESSAGES: b'event: message_stop\ndata: {"type":"message_stop"}\n\n', CHAT: b"data: [DONE]\n\n"}
DELTA = {
    MESSAGES: b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"12345678"}}\n\n',
    CHAT: b'data: {"choices":[{"index":0,"delta":{"content":"12345678"}}]}\n\n',
}
ERROR = {
    MESSAGES: b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n',
    CHAT: b'data: {"error":{"message":"x","code":502},"choices":[{"index":0,"finish_reason":"error"}]}\n\n',
}
REASONS = {MESSAGES: "overloaded_error", CHAT: "upstream_error"}


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def call(dialect: Dialect, text: str, *, strip: bool = False, **more: Any) -> ChatCall:
    fields = {"model": "m", "max_tokens": 10_000, "stream": True, "messages": [{"role": "user", "content": text}]}
    if dialect is CHAT:
        fields["stream_options"] = {"include_usage": True}
    usual: dict[str, Any] = {
        "call_id": "c1",
        "dialect": dialect,
        "models": ["m"],
        "body": json.dumps(fields).encode(),
        "body_model": "m",
        "header_lines": FORWARDED,
        "query": "",
        "conversation": b"c",
        "strip_usage_event": strip,
    }
    return ChatCall(**usual | more)


@pytest.fixture(params=[MESSAGES, CHAT])
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return request.param


async def pieces_of(dispatcher: Any, asked: ChatCall) -> list[Piece]:
    return [piece async for piece in dispatcher.stream(asked)]


def joined(pieces: list[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces)


async def test_a_stream_is_handed_on_with_head_first_and_end_last(simulator, dispatching, dialect):
    async with dispatching(simulator.url) as dispatcher:
        pieces = await pieces_of(dispatcher, call(dialect, "[words=30] [usage=in:100,out:30,read:20]"))
    head, *between, last = pieces
    assert (head.head.status, value_of(head.head.header_lines, b"content-type").split(b";")[0]) == (
        200,
        b"text/event-stream",
    )
    assert (head.end, head.failure, len(head.attempts)) == (None, None, 1)
    assert not any(piece.head or piece.end or piece.failure or piece.attempts for piece in between)
    assert last.end == End(is_complete=True, stop_reason="end_turn" if dialect is MESSAGES else "stop")
    assert last.usage == Usage(uncached_input=100, cache_read=20, output=30)
    (attempt,) = last.attempts
    assert (attempt.outcome, attempt.reason, attempt.http_status, attempt.usage) == (
        Outcome.SUCCEEDED,
        "",
        200,
        last.usage,
    )
    answer = WIRES[dialect].from_events(joined(pieces), Usage())
    assert WIRES[dialect].read_usage(answer) == (last.usage, last.end.stop_reason)


async def test_a_usage_chunk_that_the_client_did_not_ask_for_is_read_and_taken_out(simulator, dispatching):
    async with dispatching(simulator.url) as dispatcher:
        asked = await pieces_of(dispatcher, call(CHAT, "[words=3] [usage=in:7,out:3]"))
        unasked = await pieces_of(dispatcher, call(CHAT, "[words=3] [usage=in:7,out:3]", strip=True))
    assert (asked[-1].usage, unasked[-1].usage) == (Usage(7, output=3), Usage(7, output=3))
    assert b'"prompt_tokens"' in joined(asked)
    assert b'"prompt_tokens"' not in joined(unasked)
    assert joined(unasked).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("pace", ["", "[pace=0.001]"])
async def test_a_cut_stream_is_not_complete_and_what_came_is_counted(simulator, dispatching, dialect, pace):
    asked = call(dialect, f"[words=100] [cut=40] {pace}")
    async with dispatching(simulator.url) as dispatcher:
        pieces = await pieces_of(dispatcher, asked)
    assert pieces[-1].end == End(is_complete=False, reason="reset")
    usage = pieces[-1].usage
    assert (usage.output, usage.is_estimated) == (40, True)
    if dialect is CHAT:  # Anthropic tells the input at the start
        assert usage.uncached_input == len(asked.body) // 4
    else:
        assert usage.input == (await simulator.log())[0]["input_tokens"]
    (attempt,) = pieces[-1].attempts
    assert (attempt.outcome, attempt.reason, attempt.usage) == (Outcome.BROKEN, "reset", usage)


async def test_a_stream_that_stalls_is_not_complete(simulator, dispatching, dialect):
    async with dispatching(simulator.url, read_timeout=0.15) as dispatcher:
        pieces = await pieces_of(dispatcher, call(dialect, "[words=100] [stall=20]"))
    assert pieces[-1].end == End(is_complete=False, reason="timeout")
    assert (pieces[-1].usage.output, pieces[-1].usage.is_estimated) == (20, True)


async def test_leaving_closes_the_upstream_connection_at_once(simulator, dispatching, dialect):
    async with dispatching(simulator.url) as dispatcher:
        async with aclosing(dispatcher.stream(call(dialect, "[words=1000] [pace=0.01]"))) as pieces:
            seen = [await anext(pieces) for _ in range(4)]
        left = time.time()
        entry = await simulator.wait(since=1, disconnected=1, timeout=5)
    assert entry["disconnected_at"] - left < 0.2
    assert not entry["completed"]
    assert seen[-1].output_so_far > 0
    assert seen[0].usage.is_estimated
    assert seen[-1].usage is None


async def test_being_cancelled_before_the_first_byte_closes_the_upstream_connection(simulator, dispatching, dialect):
    async with dispatching(simulator.url) as dispatcher:
        waiting = asyncio.create_task(pieces_of(dispatcher, call(dialect, "[delay=60]")))
        await simulator.wait(since=1, timeout=5)
        waiting.cancel()
        left = time.time()
        entry = await simulator.wait(since=1, disconnected=1, timeout=5)
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert entry["disconnected_at"] - left < 0.2


async def test_an_error_status_is_one_piece(simulator, dispatching, dialect):
    async with dispatching(simulator.url) as dispatcher:
        (piece,) = await pieces_of(dispatcher, call(dialect, "[status=529]"))
    assert (piece.head.status, piece.end, piece.usage) == (529, End(is_complete=True), Usage())
    assert json.loads(piece.data)["error"]
    assert (piece.attempts[0].outcome, piece.attempts[0].reason) == (Outcome.REFUSED, "status_529")


async def test_a_json_answer_to_a_streamed_call_is_one_piece(server, dispatching, dialect):
    body = b'{"usage":{"input_tokens":1,"output_tokens":2,"prompt_tokens":1,"completion_tokens":2}}'
    server.says(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    async with dispatching(server.url) as dispatcher:
        (piece,) = await pieces_of(dispatcher, call(dialect, "hello"))
    assert (piece.data, piece.usage, piece.end) == (body, Usage(1, output=2), End(is_complete=True))


async def test_an_unreachable_provider_and_a_silent_one_are_failures(simulator, dispatching, dialect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with dispatching(f"http://127.0.0.1:{taken.getsockname()[1]}") as dispatcher:
            (piece,) = await pieces_of(dispatcher, call(dialect, "hello"))
    assert (piece.failure.reason, piece.attempts[0].reason) == ("UPSTREAM_UNREACHABLE", "connect_failed")
    async with dispatching(simulator.url, read_timeout=0.1) as dispatcher:
        (piece,) = await pieces_of(dispatcher, call(dialect, "[delay=60]"))
    assert (piece.failure.reason, piece.attempts[0].reason) == ("UPSTREAM_TIMEOUT", "timeout")


@pytest.mark.parametrize("after", [b"", b"final"])
async def test_an_error_in_mid_stream_never_looks_complete(server, dispatching, dialect, after):
    stream = DELTA[dialect] + ERROR[dialect] + (FINAL[dialect] if after else b"")
    server.says(HEAD + chunk(stream), END)
    async with dispatching(server.url) as dispatcher:
        pieces = await pieces_of(dispatcher, call(dialect, "hello"))
    assert pieces[-1].end == End(is_complete=False, reason=REASONS[dialect])
    assert pieces[-1].usage.output == 2
    assert joined(pieces) == stream


async def test_after_an_error_nothing_is_waited_for(server, dispatching, dialect):
    server.says(HEAD + chunk(DELTA[dialect] + ERROR[dialect]))
    async with dispatching(server.url) as dispatcher:
        pieces = await asyncio.wait_for(pieces_of(dispatcher, call(dialect, "hello")), 1)
        await asyncio.wait_for(server.left.wait(), 0.2)
    assert pieces[-1].end == End(is_complete=False, reason=REASONS[dialect])


@pytest.mark.parametrize("garbage", [b'data: {"type":"content_blo\n\n', b"data: <html>\n\n"])
async def test_a_malformed_event_never_looks_complete(server, dispatching, dialect, garbage):
    server.says(HEAD + chunk(DELTA[dialect]), chunk(garbage), chunk(FINAL[dialect]) + END)
    async with dispatching(server.url) as dispatcher:
        pieces = await pieces_of(dispatcher, call(dialect, "hello"))
    assert pieces[-1].end == End(is_complete=False, reason="malformed_event")
    assert pieces[-1].attempts[0].outcome is Outcome.BROKEN


async def test_an_end_without_the_final_event_is_early_and_half_an_event_stays_here(server, dispatching, dialect):
    server.says(HEAD + chunk(DELTA[dialect] + FINAL[dialect][:-1]), END)
    async with dispatching(server.url) as dispatcher:
        pieces = await pieces_of(dispatcher, call(dialect, "hello"))
    assert pieces[-1].end == End(is_complete=False, reason="ended_early")
    assert joined(pieces) == DELTA[dialect]


async def test_a_final_event_just_before_a_reset_counts(server, dispatching, dialect):
    async def answer(_, writer):
        writer.write(HEAD + chunk(DELTA[dialect] + FINAL[dialect]))
        writer.close()

    server.answer = answer
    async with dispatching(server.url) as dispatcher:
        pieces = await pieces_of(dispatcher, call(dialect, "hello"))
    assert pieces[-1].end.is_complete
    assert joined(pieces) == DELTA[dialect] + FINAL[dialect]


async def test_connections_are_kept_after_complete_streams(server, dispatching, dialect):
    server.says(HEAD + chunk(DELTA[dialect]), chunk(FINAL[dialect]), END)
    async with dispatching(server.url) as dispatcher:
        for _ in range(3):
            assert (await pieces_of(dispatcher, call(dialect, "hello")))[-1].end.is_complete
        assert (server.connections, len(server.requests)) == (1, 3)


async def test_an_upstream_that_does_not_close_after_its_final_event_is_not_waited_for(server, dispatching, dialect):
    server.says(HEAD + chunk(DELTA[dialect] + FINAL[dialect]))
    async with dispatching(server.url) as dispatcher:
        before = time.monotonic()
        pieces = await pieces_of(dispatcher, call(dialect, "hello"))
        assert time.monotonic() - before < DRAIN_SECONDS + 1
        assert pieces[-1].end.is_complete
        await asyncio.wait_for(server.left.wait(), 0.2)


async def test_the_end_is_told_before_the_upstream_closes(server, dispatching, dialect):
    server.says(HEAD + chunk(DELTA[dialect] + FINAL[dialect]))
    async with dispatching(server.url) as dispatcher:
        before = time.monotonic()
        async with aclosing(dispatcher.stream(call(dialect, "hello"))) as pieces:
            async for piece in pieces:
                if piece.end:
                    break
        assert time.monotonic() - before < DRAIN_SECONDS
        await asyncio.wait_for(server.left.wait(), 0.2)
