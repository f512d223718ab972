"""Which keys the cache is asked for: those that it told, or all of them while it does not tell."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tollway.cache.v1 import cache_pb2
from tollway_edge.adapters import stored_keys
from tollway_edge.adapters.stored_keys import StoredKeys
from tollway_servicekit.contract import Contract
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.link.peers import open_links
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub
from tollway_servicekit.testing import STUB_KINDS, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

CONTRACT = Contract.of(cache_pb2, "CacheService")
WATCH = Contract(CONTRACT.name, {"WatchStoredKeys": CONTRACT.methods["WatchStoredKeys"]})


def keys(names: str) -> list[bytes]:
    return [name.encode().ljust(32) for name in names.split()]


class Cache:
    """Tells each watch what a test puts into `news`: a response, an error, or None for the end."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[Any] = asyncio.Queue()
        self.watches = 0

    def tell(self, names: str = "", *, is_whole: bool = False, expected: int = 0) -> None:
        told = cache_pb2.WatchStoredKeysResponse(exact_keys=keys(names), is_whole=is_whole, expected_keys=expected)
        self.news.put_nowait(told)

    async def WatchStoredKeys(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        self.watches += 1
        while (told := await self.news.get()) is not None:
            if isinstance(told, Exception):
                raise told
            yield told


@asynccontextmanager
async def watched(kind: str, cache: Cache, made_anew_seconds: float = 60) -> AsyncIterator[StoredKeys]:
    async with stub_of(kind, WATCH, cache) as stub:
        known = StoredKeys(stub, made_anew_seconds)
        running = asyncio.create_task(known.run())
        yield known
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)


def asked_for(known: StoredKeys, names: str) -> str:
    """Return those of the keys that the cache would be asked for."""
    return " ".join(name for name in names.split() if known.may_hold(keys(name)[0]))


@pytest.fixture(params=STUB_KINDS)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


async def test_all_keys_are_asked_for_until_it_is_known_which_have_answers(kind: str) -> None:
    cache = Cache()
    async with watched(kind, cache) as known:
        assert (known.are_known, asked_for(known, "a b c")) == (False, "a b c")
        cache.tell("a", expected=2)
        await until(lambda: cache.watches == 1 and cache.news.empty())
        assert (known.are_known, asked_for(known, "a b c")) == (False, "a b c")
        cache.tell("b", is_whole=True)
        await until(lambda: known.are_known)
        assert asked_for(known, "a b c d") == "a b"


async def test_what_is_stored_later_is_asked_for_whoever_stored_it(kind: str) -> None:
    cache = Cache()
    async with watched(kind, cache) as known:
        known.add(keys("early")[0])  # it is among those that are told
        cache.tell("early", is_whole=True)
        await until(lambda: known.are_known)
        known.add(keys("own")[0])
        assert asked_for(known, "early own others") == "early own"
        cache.tell("others")
        await until(lambda: known.may_hold(keys("others")[0]))


@pytest.mark.parametrize("ending", [None, Unavailable("CACHE_KEYS_UNTOLD", "Redis is away")], ids=["end", "error"])
async def test_all_are_asked_for_again_once_nobody_tells_and_until_somebody_does(kind: str, ending: Any) -> None:
    cache = Cache()
    async with watched(kind, cache) as known:
        cache.tell("a b", is_whole=True)
        await until(lambda: known.are_known)
        cache.news.put_nowait(ending)
        await until(lambda: not known.are_known)
        assert asked_for(known, "a b c") == "a b c"
        cache.tell("c", is_whole=True)
        await until(lambda: known.are_known)
        assert (asked_for(known, "a b c"), cache.watches) == ("c", 2)


async def test_what_is_stored_while_the_cache_tells_its_keys_is_asked_for(kind: str) -> None:
    cache = Cache()
    async with watched(kind, cache) as known:
        cache.tell()
        await until(lambda: known._filling is not None)
        known.add(keys("own")[0])  # whoever looks at all keys may have been past it
        cache.tell(is_whole=True)
        await until(lambda: known.are_known)
        assert asked_for(known, "own other") == "own"


async def test_answers_that_are_gone_are_forgotten_after_a_while(kind: str) -> None:
    cache = Cache()
    async with watched(kind, cache, made_anew_seconds=0.2) as known:
        cache.tell("gone kept", is_whole=True)
        await until(lambda: known.are_known)
        await until(lambda: cache.watches == 2)
        cache.tell("kept", is_whole=True)
        await until(lambda: known.are_known)
        assert asked_for(known, "gone kept") == "kept"


async def test_a_filter_that_is_full_is_replaced_by_a_larger_one(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_keys, "FEWEST_KEYS", 100)
    cache = Cache()
    async with watched(kind, cache) as known:
        cache.tell(is_whole=True)
        await until(lambda: known.are_known)
        everything = " ".join(map(str, range(101)))
        cache.tell(everything)
        await until(lambda: cache.watches == 2)
        cache.tell(everything, is_whole=True, expected=101)
        await until(lambda: known.are_known)
        assert asked_for(known, everything) == everything
        cache.tell(" ".join(map(str, range(404 - 101))))
        cache.tell("last")
        await until(lambda: known.may_hold(keys("last")[0]))
        await until(lambda: cache.watches == 3)


async def test_a_filter_of_the_largest_size_serves_however_many_there_are(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_keys, "FEWEST_KEYS", 100)
    monkeypatch.setattr(stored_keys, "MOST_KEYS", 100)
    cache = Cache()
    async with watched(kind, cache) as known:
        everything = " ".join(map(str, range(1000)))
        cache.tell(everything, is_whole=True, expected=1000)
        await until(lambda: known.are_known)
        cache.tell("last")
        await until(lambda: cache.news.empty())
        assert (asked_for(known, everything), cache.watches) == (everything, 1)


async def test_few_keys_are_asked_for_in_vain(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_keys, "FEWEST_KEYS", 5000)
    cache = Cache()
    async with watched(kind, cache) as known:
        cache.tell(" ".join(map(str, range(5000))), is_whole=True)
        await until(lambda: known.are_known)
        assert len(asked_for(known, " ".join(map(str, range(10_000, 20_000)))).split()) < 300


async def test_a_cache_of_an_older_release_is_asked_for_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    older = Contract(CONTRACT.name, {})
    async with serving([(older, object())], "127.0.0.1:0", grace=0.2) as port, open_links(f"127.0.0.1:{port}") as links:
        known = StoredKeys(link_stub(WATCH, links))
        running = asyncio.create_task(known.run())
        await until(lambda: "it is asked for all of them (UNIMPLEMENTED: " in caplog.text)
        assert asked_for(known, "a b") == "a b"
        running.cancel()


@pytest.mark.parametrize("ending", [None, Unavailable("CACHE_KEYS_UNTOLD", "Redis is away"), KeyError("a defect")])
@pytest.mark.parametrize("is_whole", [False, True])
async def test_a_cache_that_always_ends_the_watch_is_asked_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch, ending: Any, is_whole: bool
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(stored_keys, "LONGEST_WAIT", 0.5)
    monkeypatch.setattr(stored_keys, "SHORTEST_WAIT", 0.01)
    cache, sleep = Cache(), asyncio.sleep

    async def noted(seconds: float) -> None:
        if seconds != 0.001:
            waits.append(seconds)
        await sleep(0 if seconds != 0.001 else seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)
    async with watched("local", cache):
        for number in range(8):
            cache.tell("a", is_whole=is_whole)
            cache.news.put_nowait(ending)
            await until(lambda number=number: len(waits) > number)
    assert waits[:8] == [0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5, 0.5]


async def test_after_a_filter_that_served_for_a_while_the_next_one_comes_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stored_keys, "SETTLED_SECONDS", 0.05)
    monkeypatch.setattr(stored_keys, "LONGEST_WAIT", 60)
    monkeypatch.setattr(stored_keys, "SHORTEST_WAIT", 0.02)
    cache = Cache()
    async with watched("local", cache) as known:
        for _ in range(12):  # else the last wait would be of 40 s
            cache.tell("a", is_whole=True)
            await until(lambda: known.are_known)
            await asyncio.sleep(0.06)
            cache.news.put_nowait(None)
            await until(lambda: not known.are_known)
    assert cache.watches >= 12
