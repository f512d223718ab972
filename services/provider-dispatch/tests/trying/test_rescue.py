"""Streams of one provider that another one begins anew, or takes on where they broke off."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from saying import (
    ARGUMENTS,
    BLOCK,
    END,
    ERROR,
    FINAL,
    STOP,
    STREAM,
    TOOL,
    asked,
    call,
    chunk,
    event,
    joined,
    pieces_of,
    refusal,
    said,
    start,
    text,
    whole,
)
from tollway_dialects.usage import Usage
from tollway_provider_dispatch.domain.policy import Rules

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


async def test_a_stream_that_told_all_but_its_end_is_whole(server, say, cascading):
    said_all = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9})
    for answer in (
        (STREAM + chunk(start(1), BLOCK, text("one"), STOP, said_all) + END,),
        (STREAM + chunk(start(1), BLOCK, text("one"), STOP), chunk(said_all) + END),
    ):
        say(answer)
        async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
            pieces = await pieces_of(dispatcher)
        assert (pieces[-1].end.is_complete, pieces[-1].usage) == (True, Usage(1, output=9))
        assert joined(pieces).endswith(said_all + b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
        assert len(pieces[-1].attempts) == 1
    # a connection that was cut says nothing of what might have come
    say((STREAM + chunk(start(1), BLOCK, text("one"), STOP), chunk(said_all)))
    async with cascading(server.url, "anthropic") as dispatcher:
        assert not (await pieces_of(dispatcher))[-1].end.is_complete


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
    say(BROKEN["cut"], refusal(400, refused), whole(2, "one two three"))
    async with cascading(server.url, "anthropic", "deepseek", prefill=True) as dispatcher:
        assert said(await pieces_of(dispatcher)) == "one two three"
    say(BROKEN["cut"], *[refusal(400, refused)] * 2)
    async with cascading(server.url, "anthropic", "deepseek", prefill=True) as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert b"prefill" not in joined(pieces)
    assert (said(pieces), pieces[-1].end.is_complete, pieces[-1].end.reason) == ("one two", False, "reset")
    assert [row.http_status for row in pieces[-1].attempts] == [200, 400, 400]


async def test_a_stream_that_is_delivered_whole_begins_anew_however_far_it_came(server, say, cascading):
    say(BROKEN["cut"], whole(2, "something", " else"))
    async with cascading(server.url, "anthropic", "deepseek", rules=Rules(delivery="buffered")) as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert (said(pieces), len(pieces[-1].attempts), pieces[-1].end.is_complete) == ("something else", 2, True)


async def test_a_stream_that_is_delivered_whole_may_pause_as_long_as_any_other(server, cascading):
    async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + chunk(start(1), BLOCK, text("one")))
        await asyncio.sleep(0.4)  # longer than a first token may take
        writer.write(chunk(text(" two"), STOP, FINAL) + END)

    server.answer = answer
    limits = {"first_token_timeout": 0.2, "stall_timeout": 10.0}
    async with cascading(server.url, "anthropic", rules=Rules(delivery="buffered"), **limits) as dispatcher:
        pieces = await pieces_of(dispatcher)
    assert (said(pieces), len(pieces[-1].attempts), pieces[-1].end.is_complete) == ("one two", 1, True)


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
