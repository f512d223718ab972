"""What every HTTP client towards providers must do where an answer is passed on as it arrives."""

from __future__ import annotations

import asyncio
import zlib

import pytest
from tollway_provider_dispatch.domain.ports import UpstreamBroken

HEADERS = b"content-type: application/json\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Taker:
    """Takes pieces, and says no to the one it is told to."""

    def __init__(self, last: bytes = b"") -> None:
        self.taken = b""
        self.last = last
        self.has_taken = asyncio.Event()

    def __call__(self, data: bytes) -> bool:
        self.taken += data
        self.has_taken.set()
        return not (self.last and self.taken.endswith(self.last))

    async def await_next(self) -> None:
        self.has_taken.clear()
        await asyncio.wait_for(self.has_taken.wait(), 5)


@pytest.fixture
def paced(server):
    """Let the server send parts, each when it is told to."""
    goes_on = asyncio.Semaphore(0)

    def say(*parts: bytes, head: bytes = CHUNKED, end: bytes = END):
        async def answer(_, writer):
            writer.write(head)
            for part in parts:
                await goes_on.acquire()
                writer.write(chunk(part))
            await goes_on.acquire()
            if end:
                writer.write(end)
            else:
                writer.transport.abort()

        server.answer = answer
        return goes_on.release

    return say


async def test_each_piece_is_taken_when_it_comes_and_the_end_is_told(paced, server, client):
    goes_on, take = paced(b"one", b"two", b"three"), Taker()
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    passing = asyncio.create_task(answer.pass_on(take))
    for so_far in (b"one", b"onetwo", b"onetwothree"):
        goes_on()
        await take.await_next()
        assert take.taken == so_far
    goes_on()
    assert await asyncio.wait_for(passing, 5) is False
    answer.close()
    server.says(CHUNKED + END)
    await (await client.request("POST", server.url, HEADERS, b"{}")).read()
    assert server.connections == 1


async def test_who_says_no_is_given_nothing_before_it_asks_again(paced, server, client):
    goes_on, take = paced(b"one", b"two", b"three"), Taker(last=b"two")
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    goes_on()
    goes_on()
    assert await asyncio.wait_for(answer.pass_on(take), 5) is True
    assert take.taken == b"onetwo"
    take.last = b""
    goes_on()
    goes_on()
    assert await asyncio.wait_for(answer.pass_on(take), 5) is False
    assert take.taken == b"onetwothree"
    assert await answer.pass_on(take) is False
    answer.close()


async def test_much_at_once_is_passed_on_whole_and_in_order(server, client):
    parts = [b"%07d" % number for number in range(30_000)]
    server.says(CHUNKED, *(b"".join(map(chunk, parts[start : start + 600])) for start in range(0, 30_000, 600)), END)
    answer, take = await client.request("POST", server.url, HEADERS, b"{}"), Taker()
    assert await asyncio.wait_for(answer.pass_on(take), 5) is False
    assert take.taken == b"".join(parts)
    answer.close()


async def test_what_came_before_a_connection_broke_is_passed_on(paced, server, client):
    goes_on, take = paced(b"one", end=b""), Taker()
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    passing = asyncio.create_task(answer.pass_on(take))
    goes_on()
    await take.await_next()
    goes_on()
    with pytest.raises(UpstreamBroken) as error:
        await asyncio.wait_for(passing, 5)
    assert (take.taken, error.value.reason) == (b"one", "reset")
    answer.close()


async def test_what_is_packed_is_passed_on_unpacked(paced, server, client):
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    one = packer.compress(b"one") + packer.flush(zlib.Z_SYNC_FLUSH)
    two = packer.compress(b"two") + packer.flush()
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"
    goes_on, take = paced(one, two, head=head), Taker()
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    passing = asyncio.create_task(answer.pass_on(take))
    goes_on()
    await take.await_next()
    assert take.taken == b"one"
    goes_on()
    goes_on()
    assert await asyncio.wait_for(passing, 5) is False
    assert take.taken == b"onetwo"
    answer.close()


async def test_what_the_taker_raises_is_raised_where_it_is_waited_for(paced, server, client):
    goes_on = paced(b"one")

    def take(_: bytes) -> bool:
        raise ArithmeticError

    answer = await client.request("POST", server.url, HEADERS, b"{}")
    passing = asyncio.create_task(answer.pass_on(take))
    await asyncio.sleep(0)
    goes_on()
    with pytest.raises(ArithmeticError):
        await asyncio.wait_for(passing, 5)
    answer.close()


async def test_leaving_closes_the_connection_at_once(server, client):
    async def say(reader, writer):
        writer.write(CHUNKED + chunk(b"x"))
        assert await reader.read(1) == b""
        raise ConnectionError

    server.answer, take = say, Taker()
    answer = await client.request("POST", server.url, HEADERS, b"{}")
    passing = asyncio.create_task(answer.pass_on(take))
    if not take.taken:
        await take.await_next()
    passing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await passing
    answer.close()
    await asyncio.wait_for(server.left.wait(), 0.2)
