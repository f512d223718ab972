"""Answers whose status is one of success and which are none, or which tell what no client should read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from saying import BLOCK, BODY, END, GOOD, STREAM, chunk, event, joined, pieces_of, start, text
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_provider_dispatch.domain.call import ChatCall, Piece

MESSAGES, CHAT, RESPONSES = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES
KEY = "sk-secret-one"
QUOTED = {"type": "invalid_request_error", "message": f"bad key {KEY}"}


def call(dialect: Dialect = MESSAGES) -> ChatCall:
    body = json.dumps({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}).encode()
    return ChatCall("c1", dialect, ["m"], body, "m", b"", "", b"c", strip_usage_event=False)


def success(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


@pytest.fixture(params=["whole", "stream"])
def ask(request: pytest.FixtureRequest) -> Any:
    async def ask(dispatcher: Any, asked: ChatCall) -> Piece:
        if request.param == "whole":
            return await dispatcher.complete(asked)
        (piece,) = await pieces_of(dispatcher, asked)
        return piece

    return ask


@pytest.mark.parametrize("error", [QUOTED, QUOTED["message"]], ids=["object", "text"])
async def test_an_error_of_status_200_does_not_tell_the_key_that_it_quotes(server, dispatching, ask, error):
    server.says(success(json.dumps({"error": error}).encode()))
    async with dispatching(server.url, KEY) as dispatcher:
        piece = await ask(dispatcher, call())
    assert piece.head.status == 200
    assert KEY.encode() not in piece.data
    assert b"bad key [key " in piece.data


async def test_an_answer_that_holds_an_endpoints_key_which_is_a_mere_word_is_left_as_it_is(server, dispatching, ask):
    body = b'{"content":[{"type":"text","text":"an \\"error\\""}],"usage":{"input_tokens":1,"output_tokens":2}}'
    server.says(success(body))
    async with dispatching(server.url, "text") as dispatcher:
        assert (await ask(dispatcher, call())).data == body


async def test_an_error_event_at_a_streams_beginning_does_not_tell_the_key_that_it_quotes(server, dispatching):
    server.says(STREAM + chunk(start(1), BLOCK, text("one"), event("error", error=QUOTED)) + END)
    async with dispatching(server.url, KEY) as dispatcher:
        pieces = await pieces_of(dispatcher, call())
    assert (pieces[-1].end.is_complete, pieces[-1].end.reason) == (False, "invalid_request_error")
    assert KEY.encode() not in joined(pieces)
    assert b"bad key [key " in joined(pieces)


NO_ANSWERS = {"page": b"<html>captive</html>", "nothing": b"", "cut": BODY[:-1], "list": b"[1]", "text": b'"ok"'}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_a_body_that_is_no_json_object_is_no_answer(server, dispatching, ask, body):
    server.says(success(body))
    async with dispatching(server.url) as dispatcher:
        piece = await ask(dispatcher, call())
    assert (piece.head, piece.data, piece.failure.reason) == (None, b"", "UPSTREAM_UNREACHABLE")
    assert {(row.http_status, row.outcome, row.reason) for row in piece.attempts} == {
        (200, "broken", "malformed_response")
    }
    assert piece.usage == Usage(uncached_input=len(call().body) // 4, is_estimated=True)


async def test_another_provider_answers_for_one_that_sent_a_page(server, say, cascading, ask):
    say(*[success(NO_ANSWERS["page"])] * 4, GOOD)
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        piece = await ask(dispatcher, call())
    assert (piece.data, piece.head.provider) == (BODY, "deepseek")
    assert [row.reason for row in piece.attempts] == ["malformed_response"] * 4 + [""]


async def test_a_queued_response_is_an_answer_though_it_has_no_usage_yet(server, dispatching, ask):
    queued = b'{"id":"resp_1","object":"response","status":"queued","output":[],"usage":null}'
    server.says(success(queued))
    async with dispatching(server.url) as dispatcher:
        piece = await ask(dispatcher, call(RESPONSES))
    assert (piece.data, len(piece.attempts), piece.attempts[0].outcome) == (queued, 1, "succeeded")


class Answer:
    """One whose headers end before their last line does, and quote the key."""

    status = 200
    header_lines = b"x: sk-1\r\nodd: a\nb\r\ncontent-type: application/json"
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Client:
    """Gives one answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def request(self, *_: object) -> Answer:
        return self._answer


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT], ids=["own", "translated"])
async def test_an_answer_that_cannot_be_told_is_closed(cascading, ask, dialect):
    asked, answer = call(dialect), Answer()
    async with cascading("http://127.0.0.1:9", "anthropic") as dispatcher:
        dispatcher._clients = {"anthropic": Client(answer)}
        with pytest.raises(ValueError, match=r"line end|not found"):
            await ask(dispatcher, asked)
    assert answer.is_closed
