"""WatchStoredKeys as its callers see it, over every kind of stub."""

from __future__ import annotations

import asyncio

import pytest
from tollway.cache.v1 import cache_pb2
from tollway_cache.bootstrap import bootstrap
from tollway_cache.entrypoints.servicer import CONTRACT
from tollway_cache.settings import Settings
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.stubs import responses
from tollway_servicekit.testing import STUB_KINDS, stub_of


def settings(redis_url: str = "") -> Settings:
    return Settings(listen="127.0.0.1:0", redis_url=redis_url, exact_ttl=86_400, memory_max_bytes=2_000_000)


def request_to_store(exact_key: bytes) -> cache_pb2.StorePackedAnswersRequest:
    return cache_pb2.StorePackedAnswersRequest(partitions=["acme"], exact_keys=[exact_key], packed_answers=[b"packed"])


@pytest.mark.parametrize("kind", STUB_KINDS)
async def test_who_watches_is_told_of_all_answers_and_then_of_each_that_is_stored(kind: str) -> None:
    async with bootstrap(settings()) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        await stub.StorePackedAnswers(request_to_store(b"a" * 32))
        told: list[bytes] = []
        async with asyncio.timeout(10), responses(stub.WatchStoredKeys(cache_pb2.WatchStoredKeysRequest())) as watch:
            assert (await anext(watch)).expected_keys == 1
            async for news in watch:
                told += news.exact_keys
                if news.is_whole:
                    await stub.StorePackedAnswers(request_to_store(b"b" * 32))
                if len(told) == 2:
                    break
    assert told == [b"a" * 32, b"b" * 32]


@pytest.mark.parametrize("kind", STUB_KINDS)
async def test_a_store_that_cannot_tell_its_keys_says_so(kind: str) -> None:
    async with bootstrap(settings("redis://127.0.0.1:1/0")) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        async with asyncio.timeout(10), responses(stub.WatchStoredKeys(cache_pb2.WatchStoredKeysRequest())) as watch:
            with pytest.raises(Unavailable) as caught:
                await anext(watch)
    assert caught.value.reason == "CACHE_KEYS_UNTOLD"


@pytest.mark.parametrize("kind", STUB_KINDS)
async def test_watches_end_before_the_server_does(kind: str) -> None:
    async with bootstrap(settings()) as servicer, stub_of(kind, CONTRACT, servicer) as stub:
        async with asyncio.timeout(10), responses(stub.WatchStoredKeys(cache_pb2.WatchStoredKeysRequest())) as watch:
            while not (await anext(watch)).is_whole:
                pass
            rest = asyncio.ensure_future(anext(watch, None))
            await asyncio.sleep(0)
            servicer.end_watches()
            assert await rest is None
