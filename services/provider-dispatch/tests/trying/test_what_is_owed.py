"""What a call owes, and what is told of it, where it breaks off: by its provider, by a rescuer, or by its client."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from saying import BLOCK, STREAM, asked, call, chunk, pieces_of, refusal, start, text, whole
from tollway_dialects.dialect import Dialect
from tollway_provider_dispatch.domain.account import Account
from tollway_provider_dispatch.domain.call import Outcome
from tollway_provider_dispatch.domain.policy import Rules
from tollway_servicekit.errors import NotFound

CUT = (STREAM + chunk(start(7), BLOCK, text("one two three four")),)


@pytest.mark.parametrize("rescuer", [refusal(503), (STREAM + chunk(start(900), BLOCK, text("else")),)])
async def test_a_stream_that_nobody_could_take_on_is_paid_as_it_was_delivered(
    server: Any, say: Any, cascading: Any, rescuer: Any
) -> None:
    say(CUT, *[rescuer] * 12)
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        pieces = await pieces_of(dispatcher)
    last = pieces[-1]
    assert not last.end.is_complete
    assert (last.usage.input, last.usage.output > 0, last.usage.is_estimated) == (7, True, True)
    assert last.usage == last.attempts[0].usage
    assert len(last.attempts) > 1


async def test_a_rescuer_is_told_with_its_first_words(server: Any, say: Any, cascading: Any) -> None:
    say(CUT, whole(2, "one two three four", " five"))
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        pieces = await pieces_of(dispatcher)
    with_rows = [[row.provider for row in piece.attempts] for piece in pieces if piece.attempts]
    assert with_rows == [["anthropic"], ["anthropic", "deepseek"], ["anthropic", "deepseek"]]


@pytest.mark.parametrize("is_stream", [False, True])
async def test_what_was_tried_is_known_to_a_caller_that_leaves(
    server: Any, say: Any, cascading: Any, is_stream: bool
) -> None:
    asking = asyncio.Event()

    async def silent(_: Any, __: Any) -> None:
        if len(server.requests) > 1:
            asking.set()
            await asyncio.Event().wait()

    say(refusal(503))
    first = server.answer

    async def answer(reader: Any, writer: Any) -> None:
        await (silent if len(server.requests) > 1 else first)(reader, writer)

    server.answer = answer
    left = call()
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        trying = asyncio.ensure_future(_all(dispatcher.stream(left)) if is_stream else dispatcher.complete(left))
        await asyncio.wait_for(asking.wait(), 5)
        trying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trying
    assert [(row.http_status, row.outcome) for row in left.rows] == [(503, Outcome.REFUSED), (0, Outcome.RUNNING)]


async def _all(pieces: Any) -> list[Any]:
    return [piece async for piece in pieces]


async def test_a_stream_is_closed_where_its_caller_leaves_while_its_id_is_noted(
    server: Any, say: Any, cascading: Any
) -> None:
    created = b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n'
    delta = b'event: x\ndata: {"type":"response.output_text.delta","delta":"one"}\n\n'
    say((STREAM + chunk(created, delta),))
    noting = asyncio.Event()

    async def remember(kept_id: str, account: Account) -> None:
        noting.set()
        await asyncio.Event().wait()

    async with cascading(server.url, "huggingface") as dispatcher:
        dispatcher.kept_answers._accounts.remember = remember
        kept = msgspec.structs.replace(call(is_kept=True), dialect=Dialect.OPENAI_RESPONSES)
        reading = asyncio.ensure_future(_all(dispatcher.stream(kept)))
        await asyncio.wait_for(noting.wait(), 5)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.wait_for(server.left.wait(), 5)


async def test_what_goes_on_from_an_answer_is_asked_of_its_maker_by_its_name_there(
    server: Any, say: Any, cascading: Any
) -> None:
    say(whole(2, "one"))
    async with cascading(server.url, "anthropic", "deepseek") as dispatcher:
        key = dispatcher.chain.provider("deepseek").keys[0].fingerprint
        await dispatcher.kept_answers._accounts.remember("resp_1", Account("acme", "deepseek", key))
        await _all(dispatcher.stream(call(kept_answer_id="resp_1", workspace="acme")))
    assert asked(server) == ["deepseek"]


async def test_a_maker_that_is_not_allowed_any_more_is_not_asked(server: Any, say: Any, cascading: Any) -> None:
    say(whole(2, "one"))
    rules = Rules(allowed_providers=("anthropic",))
    async with cascading(server.url, "anthropic", "deepseek", rules=rules) as dispatcher:
        key = dispatcher.chain.provider("deepseek").keys[0].fingerprint
        await dispatcher.kept_answers._accounts.remember("resp_1", Account("acme", "deepseek", key))
        with pytest.raises(NotFound):
            await dispatcher.complete(call(kept_answer_id="resp_1", workspace="acme"))
    assert asked(server) == []
