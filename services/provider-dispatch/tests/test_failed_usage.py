"""What is booked of a call that no provider answered: the prompt, wherever it may have been read, and charged for."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_provider_dispatch.adapters.httptools_upstream import HttptoolsUpstream
from tollway_provider_dispatch.domain.call import ChatCall, Piece

MESSAGES, COUNTING = Dialect.ANTHROPIC_MESSAGES, Dialect.ANTHROPIC_COUNT_TOKENS


def call(dialect: Dialect = MESSAGES, text: str = "hello") -> ChatCall:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
    return ChatCall("c1", dialect, ["m"], body, "m", b"", "", b"c", strip_usage_event=False)


@pytest.fixture(params=["whole", "stream"])
def ask(request: pytest.FixtureRequest) -> Any:
    async def ask(dispatcher: Any, asked: ChatCall) -> Piece:
        if request.param == "whole":
            return await dispatcher.complete(asked)
        (piece,) = [piece async for piece in dispatcher.stream(asked)]
        return piece

    return ask


def booked(piece: Piece) -> tuple[str, Usage]:
    assert piece.failure
    assert piece.usage == piece.attempts[0].usage
    return piece.attempts[0].reason, piece.usage


def estimate_of(asked: ChatCall) -> Usage:
    return Usage(uncached_input=len(asked.body) // 4, is_estimated=True)


@pytest.mark.parametrize(
    ("said", "reason"),
    [(b"", "timeout"), (b"HTTP/1.1 2", "timeout"), (b"garbage\r\n\r\n", "malformed_response")],
)
async def test_a_prompt_that_left_and_was_not_answered_is_booked_as_an_estimate(server, dispatching, ask, said, reason):
    server.says(said)
    async with dispatching(server.url, read_timeout=0.1) as dispatcher:
        assert booked(await ask(dispatcher, call())) == (reason, estimate_of(call()))


async def test_a_connection_that_ended_without_an_answer_is_booked_too(server, dispatching, ask):
    async def answer(_, writer):
        writer.close()

    server.answer = answer
    async with dispatching(server.url) as dispatcher:
        assert booked(await ask(dispatcher, call())) == ("reset", estimate_of(call()))


async def test_a_prompt_that_never_left_costs_nothing(dispatching, ask):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with dispatching(f"http://127.0.0.1:{taken.getsockname()[1]}") as dispatcher:
            assert booked(await ask(dispatcher, call())) == ("connect_failed", Usage())


@pytest.mark.parametrize("client_kind", [HttptoolsUpstream], indirect=True)
async def test_a_prompt_that_left_in_part_costs_nothing(dispatching, ask):
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # the system accepts, and nobody reads
        async with dispatching(f"http://127.0.0.1:{deaf.getsockname()[1]}", read_timeout=0.2) as dispatcher:
            assert booked(await ask(dispatcher, call(text="x" * (32 << 20)))) == ("timeout", Usage())


async def test_a_token_count_is_free_however_it_ends(server, dispatching, ask):
    server.says()
    async with dispatching(server.url, read_timeout=0.1) as dispatcher:
        assert booked(await ask(dispatcher, call(COUNTING))) == ("timeout", Usage())


async def test_a_refusal_that_broke_off_costs_nothing(server, dispatching, ask):
    async def answer(_, writer):
        writer.write(b"HTTP/1.1 429 X\r\ncontent-length: 10\r\n\r\n{")
        writer.close()

    server.answer = answer
    async with dispatching(server.url) as dispatcher:
        assert booked(await ask(dispatcher, call())) == ("reset", Usage())
