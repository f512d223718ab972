"""In one process edge's ports do what they do over stubs: the same answers, errors, ends and cancellations."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import tollway_simulator.bootstrap
from tollway_cache.adapters.redis_answer_store import RedisAnswerStore
from tollway_cache.domain.losses import Losses
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES
from tollway_edge.adapters.cache_client import CacheClient
from tollway_edge.adapters.dispatch_client import DispatchClient
from tollway_edge.adapters.stored_keys import StoredKeys
from tollway_edge.domain import answer
from tollway_edge.domain.call import Call
from tollway_edge.domain.errors import GatewayError
from tollway_edge.domain.forwarded import Forwarded
from tollway_edge.domain.request import read_request
from tollway_edge.domain.workspaces import Workspace
from tollway_edge.settings import EdgeConfig
from tollway_provider_dispatch.domain import call as dispatched
from tollway_simulator.settings import Settings as SimulatorSettings
from tollway_topologies.direct_cache import DirectAnswerCache
from tollway_topologies.direct_dispatch import DirectDispatch
from tollway_topologies.in_process import data_plane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MODEL = "claude-haiku-5-5"
# as a value has them, or a message
ENDED = {"succeeded", "refused", "broken", 1, 2, 3}


@asynccontextmanager
async def plane(**environ: str) -> AsyncIterator[Any]:
    async with tollway_simulator.bootstrap.bootstrap(SimulatorSettings(listen="127.0.0.1:0")) as port:
        async with AsyncExitStack() as stack:
            yield await data_plane({"SIMULATOR_URL": f"http://127.0.0.1:{port}", **environ}, stack)


def call(text: str, *, stream: bool = False, model: str = MODEL) -> Call:
    made = Call(
        Dialect.ANTHROPIC_MESSAGES,
        WIRES[Dialect.ANTHROPIC_MESSAGES],
        b"",
        Forwarded.of([(b"anthropic-version", b"2023-06-01")]),
        workspace=Workspace("acme"),
    )
    fields = {"model": model, "max_tokens": 900, "stream": stream, "messages": [{"role": "user", "content": text}]}
    read_request(made, json.dumps(fields).encode())
    made.models = (model,)
    return made


def both(opened: Any, timeout: float = 10) -> list[Any]:
    return [DirectDispatch(opened.dispatcher, timeout), DispatchClient(opened.stubs["provider_dispatch"], timeout)]


def comparable(piece: answer.AnswerPiece) -> Any:
    """What of a piece is the same for two calls: no ids and no times."""
    head = piece.head and (piece.head.status, piece.head.provider, piece.head.model, tuple(piece.head.body_changes))
    end = None if piece.failure else piece.end and (piece.end.is_complete, piece.end.reason, piece.end.stop_reason)
    failure = piece.failure and (piece.failure.reason, piece.failure.provider, piece.failure.model)
    attempts = [(each.number, each.provider, each.outcome in ENDED, each.reason) for each in piece.attempts]
    return head, end, failure, attempts, piece.usage


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (dispatched.Piece, answer.AnswerPiece),
        (dispatched.Head, answer.AnswerHead),
        (dispatched.End, answer.AnswerEnd),
    ],
)
def test_what_passes_as_it_is_has_the_same_fields_in_the_same_order(
    theirs: type[msgspec.Struct], ours: type[msgspec.Struct]
) -> None:
    assert theirs.__struct_fields__ == ours.__struct_fields__


@pytest.mark.parametrize("text", ["[words=5] hello", "[status=400]", "[status=401]", "[cut=2] [words=9]"])
async def test_whole_answers_are_those_of_a_stub(text: str) -> None:
    told = []
    for number in (0, 1):  # each with a provider of its own, since faults are remembered
        async with plane(TOLLWAY_CONFIG="") as opened:
            told.append(comparable(await both(opened)[number].complete(call(text))))
    assert told[0] == told[1]


@pytest.mark.parametrize("text", ["[words=30] hello", "[words=30] [cut=9]", "[words=30] [fail=9]", "[status=400]"])
async def test_streams_are_those_of_a_stub(text: str) -> None:
    told = []
    for number in (0, 1):
        async with plane(TOLLWAY_CONFIG="") as opened:
            seen, data = await _read(both(opened)[number], text)
            # the rows of a value go on with the stream, those of a message stay as they were at its start
            first = msgspec.structs.replace(seen[0], attempts=())
            told.append((comparable(first), comparable(seen[-1]), [line for line in data if line[:6] == b"event:"]))
    assert told[0] == told[1]


async def test_refusals_are_those_of_a_stub() -> None:
    told = []
    async with plane(TOLLWAY_CONFIG="") as opened:
        for port in both(opened):
            lost = call("x")
            lost.kept_answer_id = "resp_nobody"
            with pytest.raises(GatewayError) as refused:
                await port.complete(lost)
            told.append((refused.value.kind, refused.value.reason, refused.value.message))
    assert told[0] == told[1]


@pytest.mark.parametrize("stream", [False, True])
async def test_what_takes_too_long_ends_in_time(stream: bool) -> None:
    async with plane(TOLLWAY_CONFIG="") as opened:
        for port in both(opened, timeout=0.3):
            with pytest.raises(GatewayError) as late:
                await (_first_of(port, "[delay=20]") if stream else port.complete(call("[delay=20]")))
            assert late.value.kind.status == 504


async def test_leaving_a_stream_ends_it_at_once() -> None:
    async with plane(TOLLWAY_CONFIG="") as opened:
        async with DirectDispatch(opened.dispatcher, 10).stream(
            call("[words=900] [pace=0.01]", stream=True), lambda *_: True
        ) as pieces:
            await anext(pieces)
            reading = asyncio.ensure_future(_read_all(pieces))
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(reading, 2)


@pytest.mark.parametrize("number", [0, 1])
async def test_a_reader_that_is_behind_is_waited_for(number: int) -> None:
    async with plane(TOLLWAY_CONFIG="") as opened:
        taken: list[bytes] = []

        def take(data: bytes, _: int) -> bool:
            taken.append(data)
            return False

        port, asked = both(opened)[number], call("[words=20] [pace=0.02]", stream=True)
        waits, words = 0, 0
        async with port.stream(asked, take) as pieces:
            async for piece in pieces:
                words += piece.data.count(b"text_delta")
                if taken:  # nothing more comes before the piece that asks to wait for the reader
                    assert (len(taken), piece.data, piece.end) == (1, b"", None)
                    words += taken.pop().count(b"text_delta")
                    waits += 1
        assert words == 20
        assert waits > 10


async def _read(port: Any, text: str) -> tuple[list[answer.AnswerPiece], list[bytes]]:
    """Return the pieces of a stream, and the lines of all that it said in the order in which it came."""
    seen, said = [], []

    def take(data: bytes, _: int) -> bool:
        said.append(data)
        return True

    async with port.stream(call(text, stream=True), take) as pieces:
        async for piece in pieces:
            seen.append(piece)
            said.append(piece.data)
    return seen, b"".join(said).split(b"\n")


async def _first_of(port: Any, text: str) -> Any:
    async with port.stream(call(text, stream=True), lambda *_: True) as pieces:
        return await anext(pieces)


async def _read_all(pieces: Any) -> None:
    async for _ in pieces:
        pass


async def test_an_answer_that_was_stored_is_found_by_both_and_by_no_other_workspace() -> None:
    async with plane(TOLLWAY_CONFIG="") as opened:
        direct = opened.ports(EdgeConfig())["cache"]
        ports = [direct, CacheClient(opened.stubs["cache"], 1 << 20)]
        for number, port in enumerate(ports):
            asked = call(f"question {number}")
            asked.exact_key = bytes([number]) * 32
            asked.provider, asked.model, asked.tier = "simulator", MODEL, "n/a"
            running = asyncio.create_task(port.writes.run())
            port.store(asked, b'{"a": 1}', 42)
            assert await port.writes.flush(5)
            running.cancel()
            found = [await each.look_up(asked) for each in ports]
            assert found[0] == found[1]
            assert (found[0].body, found[0].cost_micro_usd, found[0].layer) == (b'{"a": 1}', 42, "exact")
            asked.workspace = Workspace("globex")
            assert [await each.look_up(asked) for each in ports] == [None, None]


async def test_an_answer_that_no_store_can_hold_is_dropped_and_counted_and_the_call_goes_on() -> None:
    # nobody serves it, and nothing is sent
    store, keys = RedisAnswerStore.from_url("redis://127.0.0.1:1"), StoredKeys(None)
    cache = DirectAnswerCache(store, Losses(lambda: 0.0), 60, keys, 1 << 20)
    asked = call("question")
    asked.exact_key = bytes(32)
    asked.usage = Usage(output=2**70)
    cache.store(asked, b"{}", 42)
    assert (len(cache.writes), cache.writes.dropped) == (0, 1)
