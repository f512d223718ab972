"""Which peers an address stands for."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tollway_servicekit.link.addresses import resolve


@pytest.mark.parametrize(
    "address", ["127.0.0.1:50051", "[::1]:50051", "unix:/run/a.sock", "dns:///cache:50051", "unix:///a:1", "nonsense"]
)
async def test_what_needs_no_dns_is_one_peer(address: str) -> None:
    assert await resolve(address) == [address]


async def test_a_name_stands_for_each_of_its_addresses_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(host: str, port: int, **options: object) -> list[object]:
        assert (host, port) == ("cache.tollway", 50051)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (ip, port)) for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "fd00::1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    assert await resolve("cache.tollway:50051") == ["10.0.0.1:50051", "10.0.0.2:50051", "[fd00::1]:50051"]


async def test_a_name_that_dns_does_not_know_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(host: str, port: int, **options: object) -> list[object]:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    assert await resolve("cache.tollway:50051") is None
