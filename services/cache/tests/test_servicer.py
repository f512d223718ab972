"""CacheService as its callers see it, over every kind of stub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tollway.cache.v1 import cache_pb2
from tollway.chat.v1 import chat_pb2
from tollway_cache.bootstrap import bootstrap
from tollway_cache.entrypoints.servicer import CONTRACT, MOST_TOGETHER_BYTES
from tollway_cache.settings import Settings
from tollway_dialects.dialect import Dialect
from tollway_dialects.stored_answer import StoredAnswer, pack
from tollway_dialects.usage import Usage
from tollway_servicekit.errors import InvalidRequest
from tollway_servicekit.settings import SettingError
from tollway_servicekit.testing import STUB_KINDS, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def settings(redis_url: str = "") -> Settings:
    return Settings(listen="127.0.0.1:0", redis_url=redis_url, exact_ttl=86_400, memory_max_bytes=2_000_000)


@pytest.fixture(params=STUB_KINDS)
async def stub(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with bootstrap(settings()) as servicer, stub_of(request.param, CONTRACT, servicer) as stub:
        yield stub


def stored_answer(partition: str = "acme", **fields: Any) -> cache_pb2.StoredAnswer:
    usual: dict[str, Any] = {
        "dialect": chat_pb2.DIALECT_OPENAI_CHAT,
        "provider": "openai",
        "model": "gpt-6-luna",
        "tier": "simple",
        "usage": chat_pb2.Usage(
            uncached_input_tokens=1,
            cache_write_short_tokens=2,
            cache_write_long_tokens=3,
            cache_read_tokens=4,
            output_tokens=5,
            reasoning_tokens=6,
            estimated=True,
        ),
        "cost_micro_usd": 7,
        "body": b'{"choices":[]}',
    }
    return cache_pb2.StoredAnswer(partition=partition, **{**usual, **fields})


def store_request(exact_key: bytes, ttl_seconds: int = 0, **fields: Any) -> cache_pb2.StoreAnswersRequest:
    entry = cache_pb2.CacheEntry(exact_key=exact_key, answer=stored_answer(**fields), ttl_seconds=ttl_seconds)
    return cache_pb2.StoreAnswersRequest(entries=[entry])


def lookup_request(exact_key: bytes, partition: str = "acme") -> cache_pb2.LookupAnswerRequest:
    return cache_pb2.LookupAnswerRequest(partition=partition, exact_key=exact_key)


async def test_an_unknown_prompt_is_a_miss_without_an_answer(stub: Any, key: Any) -> None:
    found = await stub.LookupAnswer(lookup_request(key(1)))
    assert found.hit == cache_pb2.CACHE_HIT_NONE
    assert not found.HasField("answer")


@pytest.mark.parametrize("dialect", [chat_pb2.DIALECT_OPENAI_CHAT, chat_pb2.DIALECT_ANTHROPIC_MESSAGES])
async def test_a_stored_answer_is_found_with_every_field(stub: Any, key: Any, dialect: int) -> None:
    stored = await stub.StoreAnswers(store_request(key(1), dialect=dialect, is_event_stream=True))
    assert stored.stored_count == 1
    found = await stub.LookupAnswer(lookup_request(key(1)))
    assert found.hit == cache_pb2.CACHE_HIT_EXACT
    assert found.answer == stored_answer(dialect=dialect, is_event_stream=True)
    set_fields = {field.name for field, _ in found.answer.ListFields()}
    assert set_fields == {field.name for field in cache_pb2.StoredAnswer.DESCRIPTOR.fields}


async def test_a_second_workspace_never_sees_the_answer(stub: Any, key: Any) -> None:
    await stub.StoreAnswers(store_request(key(1)))
    found = await stub.LookupAnswer(lookup_request(key(1), "globex"))
    assert found == cache_pb2.LookupAnswerResponse(hit=cache_pb2.CACHE_HIT_NONE)


@pytest.mark.parametrize("exact_key", [b"", b"x" * 31, b"x" * 33, b"x" * 64])
async def test_a_key_that_is_no_sha256_is_refused(stub: Any, exact_key: bytes) -> None:
    with pytest.raises(InvalidRequest, match=f"not of {len(exact_key)}") as caught:
        await stub.LookupAnswer(lookup_request(exact_key))
    assert caught.value.reason == "CACHE_KEY_INVALID"
    with pytest.raises(InvalidRequest, match="CACHE_KEY_INVALID"):
        await stub.StoreAnswers(store_request(exact_key))


async def test_an_empty_partition_is_refused(stub: Any, key: Any) -> None:
    with pytest.raises(InvalidRequest, match="CACHE_PARTITION_MISSING"):
        await stub.LookupAnswer(lookup_request(key(1), ""))
    with pytest.raises(InvalidRequest, match="CACHE_PARTITION_MISSING"):
        await stub.StoreAnswers(store_request(key(1), partition=""))


async def test_several_prompts_are_looked_up_at_once(stub: Any, key: Any) -> None:
    for number in (1, 3):
        await stub.StoreAnswers(store_request(key(number), body=b"%d" % number))
    keys = [key(number) for number in range(5)]
    response = await stub.LookupAnswers(cache_pb2.LookupAnswersRequest(partition="acme", exact_keys=keys))
    assert [(found.place, found.answer) for found in response.found] == [
        (number, stored_answer(body=b"%d" % number)) for number in (1, 3)
    ]
    stranger = cache_pb2.LookupAnswersRequest(partition="globex", exact_keys=keys)
    assert await stub.LookupAnswers(stranger) == cache_pb2.LookupAnswersResponse()


async def test_answers_that_are_too_much_for_one_response_are_told_without_what_they_are(stub: Any, key: Any) -> None:
    body = b"x" * (MOST_TOGETHER_BYTES // 2)
    for number in range(3):
        await stub.StoreAnswers(store_request(key(number), body=body))
    keys = [key(number) for number in range(4)]
    response = await stub.LookupAnswers(cache_pb2.LookupAnswersRequest(partition="acme", exact_keys=keys))
    assert [(found.place, found.HasField("answer")) for found in response.found] == [(0, True), (1, True), (2, False)]
    assert (await stub.LookupAnswer(lookup_request(key(2)))).answer.body == body


async def test_one_bad_key_refuses_the_whole_question(stub: Any, key: Any) -> None:
    for partition, keys in (("acme", [key(1), b"short"]), ("", [key(1)])):
        with pytest.raises(InvalidRequest):
            await stub.LookupAnswers(cache_pb2.LookupAnswersRequest(partition=partition, exact_keys=keys))


@pytest.mark.parametrize("ttl_seconds", [-1, 10**12])
async def test_a_lifetime_out_of_range_is_refused(stub: Any, key: Any, ttl_seconds: int) -> None:
    with pytest.raises(InvalidRequest, match="CACHE_TTL_INVALID"):
        await stub.StoreAnswers(store_request(key(1), ttl_seconds))


async def test_an_answer_of_an_unknown_dialect_is_refused(stub: Any, key: Any) -> None:
    with pytest.raises(InvalidRequest, match="CACHE_DIALECT_UNKNOWN"):
        await stub.StoreAnswers(store_request(key(1), dialect=chat_pb2.DIALECT_UNSPECIFIED))


async def test_one_bad_entry_refuses_the_whole_batch(stub: Any, key: Any) -> None:
    request = store_request(key(1))
    request.entries.add(exact_key=b"short", answer=stored_answer())
    with pytest.raises(InvalidRequest):
        await stub.StoreAnswers(request)
    assert (await stub.LookupAnswer(lookup_request(key(1)))).hit == cache_pb2.CACHE_HIT_NONE


async def test_an_empty_batch_stores_nothing(stub: Any) -> None:
    assert (await stub.StoreAnswers(cache_pb2.StoreAnswersRequest())).stored_count == 0


def packed_request(*keys: bytes, partition: str = "acme") -> cache_pb2.StorePackedAnswersRequest:
    answers = [
        StoredAnswer(partition, key, Dialect.OPENAI_CHAT, "openai", "gpt-6-luna", "simple", Usage(1), 7, b"{}")
        for key in keys
    ]
    return cache_pb2.StorePackedAnswersRequest(
        partitions=[partition] * len(keys), exact_keys=keys, packed_answers=map(pack, answers)
    )


async def test_what_comes_packed_is_found_with_every_field(stub: Any, key: Any) -> None:
    assert (await stub.StorePackedAnswers(packed_request(key(1), key(2)))).stored_count == 2
    for number in (1, 2):
        found = await stub.LookupAnswer(lookup_request(key(number)))
        assert found.answer == stored_answer(usage=chat_pb2.Usage(uncached_input_tokens=1), body=b"{}")
    assert (await stub.LookupAnswer(lookup_request(key(1), "globex"))).hit == cache_pb2.CACHE_HIT_NONE


async def test_what_is_packed_for_another_workspace_than_it_is_stored_for_is_never_found(stub: Any, key: Any) -> None:
    request = packed_request(key(1))
    request.partitions[0] = "globex"
    await stub.StorePackedAnswers(request)
    for partition in ("acme", "globex"):
        assert (await stub.LookupAnswer(lookup_request(key(1), partition))).hit == cache_pb2.CACHE_HIT_NONE


async def test_one_bad_packed_answer_refuses_all(stub: Any, key: Any) -> None:
    uneven = packed_request(key(1))
    uneven.partitions.append("acme")
    for request, reason in (
        (packed_request(key(1), b"short"), "CACHE_KEY_INVALID"),
        (packed_request(key(1), partition=""), "CACHE_PARTITION_MISSING"),
        (uneven, "CACHE_ENTRIES_UNEVEN"),
    ):
        with pytest.raises(InvalidRequest, match=reason):
            await stub.StorePackedAnswers(request)
    assert (await stub.LookupAnswer(lookup_request(key(1)))).hit == cache_pb2.CACHE_HIT_NONE
    assert (await stub.StorePackedAnswers(cache_pb2.StorePackedAnswersRequest())).stored_count == 0


class RecordingStore:
    """Remembers the lifetimes it was given."""

    def __init__(self) -> None:
        self.lifetimes: list[int] = []

    async def get(self, partition: str, exact_key: bytes) -> None:
        return None

    async def put(self, entries: Any) -> int:
        self.lifetimes += [entry.ttl_seconds for entry in entries]
        return len(entries)


async def test_an_entry_without_a_lifetime_takes_the_configured_one(key: Any) -> None:
    store = RecordingStore()
    async with bootstrap(settings(), store=store) as servicer, stub_of("local", CONTRACT, servicer) as stub:
        await stub.StoreAnswers(store_request(key(1)))
        await stub.StoreAnswers(store_request(key(1), 5))
        await stub.StorePackedAnswers(packed_request(key(1)))
    assert store.lifetimes == [86_400, 5, 86_400]


async def test_an_answer_in_redis_survives_the_service(redis_process: Any) -> None:
    exact_key = b"survives".ljust(32)
    for turn in ("writes", "reads"):
        async with bootstrap(settings(redis_process.url)) as servicer, stub_of("local", CONTRACT, servicer) as stub:
            if turn == "writes":
                await stub.StoreAnswers(store_request(exact_key))
            found = await stub.LookupAnswer(lookup_request(exact_key))
            assert found.answer == stored_answer()


async def test_without_its_redis_the_service_starts_and_every_lookup_misses(key: Any) -> None:
    url = "redis://127.0.0.1:1/0"
    async with bootstrap(settings(url)) as servicer, stub_of("local", CONTRACT, servicer) as stub:
        for _ in range(3):
            assert (await stub.StoreAnswers(store_request(key(1)))).stored_count == 0
            assert (await stub.LookupAnswer(lookup_request(key(1)))).hit == cache_pb2.CACHE_HIT_NONE


async def test_a_malformed_redis_url_is_told_at_start_without_its_password() -> None:
    with pytest.raises(SettingError, match="CACHE_REDIS_URL must look like") as caught:
        async with bootstrap(settings("http://:secret@host")):
            pass
    assert "secret" not in str(caught.value)
