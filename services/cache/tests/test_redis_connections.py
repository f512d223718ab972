"""Connections as redis-py makes them of a URL, and what becomes of them: refused, closed, hung."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from redis.asyncio import Redis
from tollway_cache.adapters.redis_line import RedisLine
from tollway_cache.domain.ports import AnswerUnreadable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


async def ended(store: Any) -> None:
    """Return when both connections of the store are closed."""
    lines = [pipeline._line for pipeline in (store._lookups, store._writes) if isinstance(pipeline._line, RedisLine)]
    assert len(lines) == 2
    async with asyncio.timeout(10):
        await asyncio.wait([line.keeper for line in lines])


async def test_a_user_with_a_password_keeps_answers_in_the_database_of_the_url(
    mortal_redis: Any, open_store: Any, entry: Any, key: Any
) -> None:
    async with Redis.from_url(mortal_redis.url) as client:
        await client.execute_command("ACL", "SETUSER", "tollway", "on", ">open sesame", "~tollway:*", "+@all")
        await client.config_set("requirepass", "other")
        store = open_store(f"unix://tollway:open%20sesame@{mortal_redis.socket}?db=3")
        await store.put([entry()])
        assert await store.get("acme", key(1)) == entry().packed
        assert await client.dbsize() == 0
        await client.select(3)
        assert await client.dbsize() == 1


@pytest.mark.parametrize("credentials", ["", ":wrong-one@", "tollway:wrong-one@"])
async def test_a_wrong_password_is_an_outage_and_never_told(
    mortal_redis: Any, open_store: Any, entry: Any, key: Any, credentials: str
) -> None:
    async with Redis.from_url(mortal_redis.url) as client:
        await client.config_set("requirepass", "right-one")
    store = open_store(f"unix://{credentials}{mortal_redis.socket}")
    with pytest.raises(StoreUnavailable, match=r"(Authentication|Connection)Error") as caught:
        await store.get("acme", key(1))
    assert "-one" not in str(caught.value)
    with pytest.raises(StoreUnavailable, match="left alone"):
        await store.put([entry()])


@pytest.fixture
async def tls_url(redis_process: Any, tmp_path: Path) -> AsyncIterator[str]:
    """A Redis behind TLS; the URL names the CA."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(redis_process.socket)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    yield f"rediss://localhost:{port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}"
    server.close()
    await server.wait_closed()


async def test_answers_large_and_small_pass_through_tls(tls_url: str, open_store: Any, entry: Any, key: Any) -> None:
    store = open_store(tls_url)
    entries = [entry("tls", number, body=b"x" * 10**number) for number in range(7)]
    assert await store.put(entries) == 7
    found = await asyncio.gather(*(store.get("tls", key(number)) for number in range(7)))
    assert found == [kept.packed for kept in entries]


async def test_a_server_whose_certificate_another_authority_signed_is_unavailable(
    tls_url: str, open_store: Any, key: Any, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    with pytest.raises(StoreUnavailable, match="ConnectionError"):
        await open_store(tls_url).get("acme", key(1))


async def test_a_server_that_closes_idle_connections_is_no_outage(
    mortal_redis: Any, open_store: Any, entry: Any, key: Any
) -> None:
    store = open_store(mortal_redis.url)
    await store.put([entry()])
    assert await store.get("acme", key(1))
    async with Redis.from_url(mortal_redis.url) as client:
        await client.config_set("timeout", "1")
        await ended(store)
        await client.config_set("timeout", "0")
    assert await asyncio.gather(store.get("acme", key(1)), store.put([entry()])) == [entry().packed, 1]


async def test_a_restart_is_no_outage(mortal_redis: Any, open_store: Any, entry: Any, key: Any) -> None:
    store = open_store(mortal_redis.url)
    await store.put([entry()])
    assert await store.get("acme", key(1))
    mortal_redis.stop()
    mortal_redis.start()
    assert await asyncio.gather(store.get("acme", key(1)), store.put([entry(number=2)])) == [None, 1]


async def test_a_server_that_hangs_is_given_up_and_found_again(
    mortal_redis: Any, open_store: Any, entry: Any, key: Any
) -> None:
    store = open_store(mortal_redis.url, get_seconds=0.3)
    await store.put([entry()])
    assert await store.get("acme", key(1))
    os.kill(mortal_redis._process.pid, signal.SIGSTOP)
    try:
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="Timeout"):
                await store.get("acme", key(1))
        with pytest.raises(StoreUnavailable, match="left alone"):
            await store.get("acme", key(1))
    finally:
        os.kill(mortal_redis._process.pid, signal.SIGCONT)
    store._rests_until = 0.0
    assert await store.get("acme", key(1)) == entry().packed


async def test_a_value_of_another_type_is_unreadable_and_no_outage(
    mortal_redis: Any, open_store: Any, entry: Any, key: Any
) -> None:
    store = open_store(mortal_redis.url)
    async with Redis.from_url(mortal_redis.url) as client:
        await client.rpush(f"tollway:{{acme}}:exact:{key(1).hex()}", "a list")
    with pytest.raises(AnswerUnreadable, match="no string"):
        await store.get("acme", key(1))
    assert await store.put([entry()]) == 1
    assert await store.get("acme", key(1)) == entry().packed
