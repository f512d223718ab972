"""The other end of a raw socket, and requests as bytes; for tests that look at HTTP itself."""

from __future__ import annotations

import asyncio
from typing import Any


class Peer:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, *pieces: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
        await self.write(*pieces)
        return await self.answer()

    async def write(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def answer(self, has_body: bool = True) -> tuple[int, dict[bytes, bytes], bytes]:
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            headers = dict(line.split(b": ", 1) for line in head[1:] if line)
            return int(head[0].split()[1]), headers, await self._body(headers) if has_body else b""

    async def _body(self, headers: dict[bytes, bytes]) -> bytes:
        if b"content-length" in headers:
            return await self.reader.readexactly(int(headers[b"content-length"]))
        assert headers[b"transfer-encoding"] == b"chunked"
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        assert await self.reader.readline() == b"\r\n"
        return body


def head(path: str = "/v1/messages", method: str = "POST", key: str = "tw_test", **headers: Any) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: tollway", f"x-api-key: {key}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def request(body: bytes, path: str = "/v1/messages", key: str = "tw_test") -> bytes:
    return head(path, key=key, content_length=len(body)) + body


def chunked(*pieces: bytes) -> list[bytes]:
    return [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]
