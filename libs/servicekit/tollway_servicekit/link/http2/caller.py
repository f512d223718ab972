"""The caller's end: connects to a peer and begins a `Carry` stream. Called by `peer` for each link."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tollway_servicekit.link.http2.connection import SETTINGS_OF_BOTH, WIDEN_CONNECTION, Connection
from tollway_servicekit.link.http2.headers import UNAVAILABLE, UNKNOWN, request_frame, status_of
from tollway_servicekit.link.http2.wire import (
    DATA,
    ENABLE_PUSH,
    END_STREAM,
    LINK_MARK,
    PREFACE,
    STREAM,
    settings_frame,
    whole_frame,
)

if TYPE_CHECKING:
    import ssl

    from tollway_servicekit.link.carry import CarryReader
    from tollway_servicekit.link.http2.headers import Block

CONNECT_SECONDS = 10.0
_SETTINGS = settings_frame({LINK_MARK: 1, ENABLE_PUSH: 0} | SETTINGS_OF_BOTH)


class CallingConnection(Connection):
    """
    Begins its stream at once.

    Args:
        link: Is told what comes.
        authority: Whom the stream asks for.
        scheme: http or https.
    """

    def __init__(self, link: CarryReader, authority: str, scheme: str) -> None:
        super().__init__()
        self._deliver_to(link)
        self._begin_with = PREFACE + _SETTINGS + WIDEN_CONNECTION + request_frame(authority, scheme)
        self._has_begun = False

    def _begin(self) -> None:
        self._transport.write(self._begin_with)

    def _take_block(self, block: Block) -> None:
        if block.stream != STREAM:
            return
        if block.is_end:
            self._end(*status_of(block.headers))
        elif not self._has_begun and block.headers.get(":status", "").startswith("1"):
            return
        elif self._has_begun or block.headers.get(":status") != "200":
            self._end(UNAVAILABLE, status_of(block.headers)[1] or "the peer sent headers twice")
        elif not block.headers.get("content-type", "").startswith("application/grpc"):
            self._end(UNAVAILABLE, "the peer answered with what is no gRPC")
        self._has_begun = True

    def _settle_half_close(self) -> None:
        if self._is_half_closed:
            self._end(UNKNOWN, "the stream ended without a status")

    def finish(self, code: int = 0, why: str = "") -> None:
        if not self._is_over:
            self._out.finish(whole_frame(DATA, END_STREAM, STREAM))

    def _has_sent_all(self) -> None:
        """Wait for the peer's end."""


async def open_carry(
    link: CarryReader, target: str, tls: ssl.SSLContext | None = None, server_name: str = ""
) -> CallingConnection:
    """
    Return a stream on a new connection; the peer has not answered yet.

    Args:
        link: Is told what comes.
        target: `host:port` or `unix:path`.
        tls: How the connection is made, where it is encrypted.
        server_name: Whom the peer's certificate must name, where that is not the host.

    Raises:
        OSError: The peer is not there, or shows a certificate that is not trusted.
        TimeoutError: It does not answer.
    """
    loop = asyncio.get_running_loop()
    target = target.removeprefix("dns:///")
    host, _, port = target.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    name = server_name or ("localhost" if target.startswith("unix:") else host)
    scheme = "http" if tls is None else "https"

    def make() -> CallingConnection:
        return CallingConnection(link, name, scheme)

    async with asyncio.timeout(CONNECT_SECONDS):
        if target.startswith("unix:"):
            path = target.removeprefix("unix:").removeprefix("//")
            return (await loop.create_unix_connection(make, path, ssl=tls, server_hostname=name if tls else None))[1]
        if not port.isdecimal():
            raise OSError(f"{target} is not host:port")
        return (await loop.create_connection(make, host, int(port), ssl=tls, server_hostname=name if tls else None))[1]
