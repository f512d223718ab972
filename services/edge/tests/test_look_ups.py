"""Look-ups of several calls at once: what they share, what each gets, and a cache of an older release."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tollway.cache.v1 import cache_pb2
from tollway.chat.v1 import chat_pb2
from tollway_dialects.stored_answer import unpack
from tollway_edge import bootstrap
from tollway_edge.adapters.cache_client import CacheClient
from tollway_edge.adapters.look_ups import MOST_TOGETHER, LookUps
from tollway_edge.domain.workspaces import Workspace
from tollway_servicekit.contract import Contract
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub
from tollway_servicekit.testing import STUB_KINDS, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tollway_edge.domain.call import Call

SINCE = {"LookupAnswers", "StorePackedAnswers", "WatchStoredKeys"}
OLDER = Contract(
    bootstrap.CACHE.name, {name: each for name, each in bootstrap.CACHE.methods.items() if name not in SINCE}
)


class Cache:
    """Has an answer to every key that begins with `h`, and notes what it was asked."""

    def __init__(self, fails: bool = False, leaves_out: bool = False) -> None:
        self.together: list[tuple[str, list[bytes]]] = []
        self.alone: list[bytes] = []
        self.traces: set[str] = set()
        self.stored: list[tuple[str, bytes, bytes]] = []
        self._fails = fails
        self._leaves_out = leaves_out

    async def LookupAnswer(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.alone.append(request.exact_key)
        self.traces.add(context.traceparent)
        if not request.exact_key.startswith(b"h"):
            return cache_pb2.LookupAnswerResponse(hit=cache_pb2.CACHE_HIT_NONE)
        return cache_pb2.LookupAnswerResponse(
            hit=cache_pb2.CACHE_HIT_EXACT, answer=_answer(request.partition, request.exact_key)
        )

    async def LookupAnswers(self, request: Any, context: Any) -> Any:  # noqa: N802
        assert context.workspace == request.partition
        self.together.append((request.partition, list(request.exact_keys)))
        if self._fails:
            raise Unavailable("UNAVAILABLE", "nobody there")
        response = cache_pb2.LookupAnswersResponse()
        for place, key in enumerate(request.exact_keys):
            if key.startswith(b"h"):
                kept = None if self._leaves_out and response.found else _answer(request.partition, key)
                response.found.add(place=place, answer=kept)
        return response

    async def WatchStoredKeys(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        yield cache_pb2.WatchStoredKeysResponse()

    async def StoreAnswers(self, request: Any, context: Any) -> Any:  # noqa: N802
        return cache_pb2.StoreAnswersResponse()

    async def StorePackedAnswers(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.stored += zip(request.partitions, request.exact_keys, request.packed_answers, strict=True)
        return cache_pb2.StorePackedAnswersResponse(stored_count=len(request.partitions))


def _answer(partition: str, key: bytes) -> cache_pb2.StoredAnswer:
    return cache_pb2.StoredAnswer(partition=partition, dialect=chat_pb2.DIALECT_ANTHROPIC_MESSAGES, body=key)


@pytest.fixture
def crowd(make_call: Callable[..., Call]) -> Callable[..., list[Call]]:
    """Makes calls of a workspace with keys such as `h1` for hits and `m2` for misses."""

    def make(keys: str, workspace: str = "acme", **fields: Any) -> list[Call]:
        calls = []
        for key in keys.split():
            call = make_call(**fields)
            call.workspace, call.exact_key = Workspace(workspace), key.encode().ljust(32)
            calls.append(call)
        return calls

    return make


@asynccontextmanager
async def older_cache(cache: Cache) -> AsyncIterator[Any]:
    async with serving([(OLDER, cache)], "127.0.0.1:0", grace=0.2) as port, open_links(f"127.0.0.1:{port}") as links:
        yield link_stub(bootstrap.CACHE, links)


async def bodies(client: CacheClient, calls: list[Call]) -> list[bytes]:
    found = await asyncio.gather(*map(client.look_up, calls))
    return [each.body.strip() if each else b"" for each in found]


@pytest.mark.parametrize("kind", STUB_KINDS)
async def test_look_ups_of_one_turn_are_one_question_and_each_gets_its_own_answer(kind: str, crowd: Any) -> None:
    cache = Cache()
    async with stub_of(kind, bootstrap.CACHE, cache) as stub:
        assert await bodies(CacheClient(stub, 1000), crowd("h1 m2 h3 m4 h5")) == [b"h1", b"", b"h3", b"", b"h5"]
    assert [len(keys) for _, keys in cache.together] == [5]
    assert cache.alone == []


async def test_workspaces_share_no_question(crowd: Any) -> None:
    cache = Cache()
    async with stub_of("local", bootstrap.CACHE, cache) as stub:
        calls = [*crowd("h1 h2"), *crowd("h1 m3", "globex"), *crowd("h4", "initech")]
        assert await bodies(CacheClient(stub, 1000), calls) == [b"h1", b"h2", b"h1", b"", b"h4"]
    assert [(name, len(keys)) for name, keys in cache.together] == [("acme", 2), ("globex", 2)]
    assert len(cache.alone) == 1


async def test_what_finds_no_room_in_the_answer_is_asked_for_alone(crowd: Any) -> None:
    cache = Cache(leaves_out=True)
    async with stub_of("link", bootstrap.CACHE, cache) as stub:
        assert await bodies(CacheClient(stub, 1000), crowd("m1 h2 h3 m4 h5")) == [b"", b"h2", b"h3", b"", b"h5"]
    assert [key.strip() for key in cache.alone] == [b"h3", b"h5"]


async def test_a_cache_of_an_older_release_is_asked_for_each(crowd: Any) -> None:
    cache, trace = Cache(), "00-" + "4" * 32 + "-" + "7" * 16 + "-01"
    async with older_cache(cache) as stub:
        assert await bodies(CacheClient(stub, 1000), crowd("h1 m2 h3", traceparent=trace)) == [b"h1", b"", b"h3"]
    assert (cache.together, len(cache.alone), cache.traces) == ([], 3, {trace})


async def test_answers_leave_packed_and_are_dropped_and_counted_by_a_cache_of_an_older_release(
    crowd: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache()
    async with stub_of("link", bootstrap.CACHE, cache) as stub, older_cache(cache) as older:
        for each, dropped in ((CacheClient(stub, 10_000), 0), (CacheClient(older, 10_000), 2)):
            running = asyncio.create_task(each.writes.run())
            for call in (*crowd("h1"), *crowd("h2", "globex")):
                each.store(call, b'{"a": 1}', 42)
            assert await each.writes.flush(5)
            running.cancel()
            assert (each.writes.dropped, each.writes.bytes) == (dropped, 0)
    assert [(name, key.strip()) for name, key, _ in cache.stored] == [("acme", b"h1"), ("globex", b"h2")]
    for name, key, packed in cache.stored:
        answer = unpack(packed)
        assert (answer.partition, answer.exact_key, answer.body, answer.cost_micro_usd) == (name, key, b'{"a": 1}', 42)
    assert "dropped 2 in all" in caplog.text


async def test_a_cache_that_is_away_is_a_miss_for_all(crowd: Any, caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache(fails=True)
    async with stub_of("link", bootstrap.CACHE, cache) as stub:
        assert await bodies(CacheClient(stub, 1000), crowd("h1 h2 h3")) == [b"", b"", b""]
    assert (len(cache.together), cache.alone) == (1, [])
    assert "going on without it (UNAVAILABLE)" in caplog.text


async def test_a_call_that_leaves_takes_nobody_with_it(crowd: Any) -> None:
    cache = Cache()
    async with stub_of("link", bootstrap.CACHE, cache) as stub:
        client = CacheClient(stub, 1000)
        for turns in range(8):
            calls = [asyncio.create_task(client.look_up(call)) for call in crowd("h1 h2 h3")]
            for _ in range(turns):
                await asyncio.sleep(0)
            calls[0].cancel()
            found = await asyncio.gather(*calls, return_exceptions=True)
            assert [each.body.strip() for each in found[1:]] == [b"h2", b"h3"]


async def test_a_question_has_so_many_keys_at_most_while_turns_bring_more(crowd: Any) -> None:
    asked = []

    async def ask(_: str, calls: Any) -> list[None]:
        asked.append(len(calls))
        return [None] * len(calls)

    look_ups = LookUps(ask)
    calls, futures = crowd("m " * 3 * MOST_TOGETHER), []
    for _ in range(3):
        futures += [look_ups.find("acme", calls.pop()) for _ in range(MOST_TOGETHER)]
        await asyncio.sleep(0)
    await asyncio.gather(*futures)
    assert asked == [MOST_TOGETHER] * 3


async def test_a_defect_leaves_nobody_waiting(crowd: Any) -> None:
    async def ask(_: str, calls: Any) -> list[None]:
        raise RuntimeError("a defect")

    look_ups = LookUps(ask)
    futures = [look_ups.find("acme", call) for call in crowd("m1 m2")]
    async with asyncio.timeout(5):
        assert await asyncio.gather(*futures) == [None, None]
