"""Proxies: which one, what it is told, and what it must answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from tollway_httpclient import ConnectFailed, ConnectTimeout, Proxy, environment_proxy
from tollway_httpclient.target import Origin

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
BASIC = b"proxy-authorization: Basic dXNlcjpwQHNz\r\n"  # user:p@ss


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class TunnelProxy:
    """A proxy that answers CONNECT with what the test says, and then passes bytes on."""

    def __init__(self) -> None:
        self.reply = ESTABLISHED
        self.asked: list[bytes] = []
        self.port = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def accept(self, reader, writer):
        self.tasks.add(asyncio.ensure_future(self.serve(reader, writer)))

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        writer.write(self.reply)
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        if self.reply == ESTABLISHED:
            there = await asyncio.open_connection(host, int(port))
            await asyncio.gather(self.carry(reader, there[1]), self.carry(there[0], writer))
        writer.close()

    async def carry(self, reader, writer):
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()


@pytest.fixture
async def proxy():
    proxy = TunnelProxy()
    listening = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    yield proxy
    listening.close()
    for task in proxy.tasks:
        task.cancel()
    await asyncio.gather(*proxy.tasks, return_exceptions=True)


def through(port, user=""):
    return lambda origin: Proxy.of(f"http://{user}127.0.0.1:{port}")


async def test_https_goes_through_a_tunnel_and_the_proxy_learns_the_name_alone(proxy, tls_server, make_client, ca_file):
    tls_server.says(OK)
    client = make_client(ca_file=ca_file, proxy_of=through(proxy.port, "user:p%40ss@"))
    for _ in range(2):
        assert await (await client.request("POST", tls_server.url, [("x-api-key", "sk")], b"prompt")).read() == b"ok"
    name = f"localhost:{tls_server.port}".encode()
    assert proxy.asked == [b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (name, name, BASIC)]
    assert b"proxy-authorization" not in tls_server.heads[0]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", "407"),
        (b"HTTP/1.1 503 No\r\n\r\n", "503"),
        (b"SSH-2.0-x\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nmore", "more than its answer"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40000, "did not answer in HTTP"),
    ],
)
async def test_a_proxy_that_does_not_open_the_tunnel_is_a_failed_connect(proxy, make_client, reply, why):
    proxy.reply = reply
    with pytest.raises(ConnectFailed, match=why) as error:
        await make_client(proxy_of=through(proxy.port, "user:p%40ss@")).request("POST", "https://127.0.0.1:1/")
    assert "p@ss" not in str(error.value)


async def test_a_proxy_that_says_nothing_is_a_connect_timeout(server, make_client):
    server.says()
    client = make_client(connect=0.1, proxy_of=through(server.port))
    with pytest.raises(ConnectTimeout):
        await client.request("POST", "https://127.0.0.1:1/")


async def test_http_goes_to_the_proxy_in_absolute_form(server, make_client):
    server.says(OK)
    client = make_client(proxy_of=through(server.port, "user:p%40ss@"))
    for _ in range(2):
        assert await (await client.request("GET", "http://api.example.com/v1?x=y")).read() == b"ok"
    lines = b"GET http://api.example.com/v1?x=y HTTP/1.1\r\nhost: api.example.com\r\n"
    assert server.heads == [lines + BASIC + b"\r\n"] * 2
    assert server.connections == 1


async def test_the_proxy_is_asked_for_once_for_each_origin(server, make_client):
    asked = []
    server.says(OK)

    def proxy_of(origin):
        asked.append(origin)

    client = make_client(proxy_of=proxy_of)
    for path in ("/a", "/b", "/a"):
        await (await client.request("GET", server.url + path)).read()
    assert asked == [Origin("http", "127.0.0.1", server.port)]


@pytest.mark.parametrize(
    ("origin", "proxy"),
    [
        (Origin("https", "api.example.com", 443), Proxy("secure", 3128, "proxy-authorization: Basic dTpw\r\n")),
        (Origin("http", "api.example.com", 80), Proxy("plain", 80)),
        (Origin("https", "inside.example.org", 443), None),
        (Origin("http", "localhost", 8090), None),
        (Origin("http", "localhost", 8091), Proxy("plain", 80)),
    ],
)
def test_the_environment_names_the_proxy(monkeypatch, origin, proxy):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert environment_proxy(origin) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://u:p@secure:3128")
    monkeypatch.setenv("http_proxy", "plain")
    monkeypatch.setenv("NO_PROXY", ".example.org,localhost:8090")
    assert environment_proxy(origin) == proxy


@pytest.mark.parametrize("url", ["https://p:1", "socks5://p", "http://", "http://p:x", "http://[::"])
def test_what_is_no_proxy_is_refused_without_telling_it(url):
    with pytest.raises(ConnectFailed, match="must be given as"):
        Proxy.of(url)


def test_a_proxys_password_is_not_in_its_representation():
    assert repr(Proxy.of("http://user:password@p:1")) == "Proxy(p:1)"
