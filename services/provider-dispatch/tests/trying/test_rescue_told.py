"""What of a stream that broke off, and of who takes it on, clients, models and breakers are told."""

from __future__ import annotations

import json

import msgspec
import pytest
from saying import BLOCK, END, STREAM, call, chunk, joined, pieces_of, refusal, said, start, text, whole

CUT = (STREAM + chunk(start(1), BLOCK, text("one two")),)


@pytest.mark.parametrize("is_held", [True, False], ids=["at once", "later"])
async def test_what_nobody_can_read_is_no_clients_to_parse(server, say, cascading, is_held):
    told, spoilt = chunk(start(1), BLOCK, text("one two")), chunk(b"data: {oops\n\n", text(" three")) + END
    say(*[(STREAM + told + spoilt,) if is_held else (STREAM + told, spoilt)] * 4)
    async with cascading(server.url, "anthropic") as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert (said(pieces), b"oops" in joined(pieces)) == ("one two", False)
    assert (pieces[-1].end.is_complete, pieces[-1].end.reason) == (False, "malformed_event")


async def test_a_model_is_told_how_far_the_answer_came_in_the_one_dialect_that_goes_on_from_it(server, say, cascading):
    chunks = [{"index": 0, "delta": {"content": "one too many"}, "finish_reason": "stop"}]
    answer = b"data: " + json.dumps({"id": "c", "choices": chunks}).encode() + b"\n\ndata: [DONE]\n\n"
    say(CUT, STREAM + chunk(answer) + END)
    bounded = msgspec.structs.replace(call(), body=call().body[:-1] + b',"max_tokens":9}')
    async with cascading(server.url, "anthropic", "openai", prefill=True) as dispatcher:
        pieces = await pieces_of(dispatcher, bounded)
    assert [each["role"] for each in json.loads(server.requests[1].body)["messages"]] == ["user"]
    assert (said(pieces), pieces[-1].end.is_complete) == ("one two", False)


async def test_a_breaker_learns_from_streams_that_were_taken_on(server, say, cascading):
    say(CUT, whole(2, "one two three"))
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        healthy = f"deepseek/m/{dispatcher.chain.provider('deepseek').keys[0].fingerprint}"
        dispatcher.cooldowns._failures[healthy] = 4
        assert said(await pieces_of(dispatcher)) == "one two three"
        assert healthy not in dispatcher.cooldowns._failures


async def test_one_whose_key_is_refused_is_not_counted_as_broken(server, say, cascading):
    say(CUT, refusal(401), whole(3, "one two three"))
    async with cascading(server.url, "anthropic", "deepseek", "huggingface") as dispatcher:
        assert said(await pieces_of(dispatcher)) == "one two three"
        (refused,) = dispatcher.cooldowns.entries().values()
    assert (refused.cause, refused.reason) == ("bad_key", "status_401")
