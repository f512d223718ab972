"""The caller's end: connects to a peer and begins a `Carry` stream. Called by `peer` for each link."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from functools import partial
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
    from collections.abc import Callable

    from tollway_servicekit.link.carry import CarryReader
    from tollway_servicekit.link.http2.headers import Block

CONNECT_SECONDS = 10.0
"""What a peer gets to be connected to, and its link to begin after that; then it is tried again."""
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
        send_unpaced(self._transport.get_extra_info("socket"))
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


def send_unpaced(sock: socket.socket | None) -> None:
    """
    Let no timer space out what a socket sends, where the system's congestion control is one that does.

    BBR is, which nodes are given for what they send far away. Between services a round trip takes far less than a
    millisecond: timers gain nothing there, and cost a fifteenth of the CPU time of a long request.
    """
    option = getattr(socket, "TCP_CONGESTION", None)  # Linux has it
    if sock is None or option is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    if sock.getsockopt(socket.IPPROTO_TCP, option, 16).rstrip(b"\0") == b"bbr":
        for name in (b"cubic", b"reno"):  # not every one is allowed; reno is
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, option, name)
                return


async def open_carry(
    link: CarryReader, target: str, tls: ssl.SSLContext | None = None, server_name: str = ""
) -> CallingConnection:
    """
    Return a stream on a new connection; the peer has not answered yet.

    Args:
        link: Is told what comes.
        target: `host:port`, also as `dns:///host:port`, or `unix:path`.
        tls: How the connection is made, where it is encrypted.
        server_name: Whom the peer's certificate must name, where that is not the host.

    Raises:
        ConnectionError: The peer is not there, does not answer, or shows a certificate that is not trusted; says which.
    """
    name = server_name or _host(target)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            make = partial(CallingConnection, link, name, "http" if tls is None else "https")
            return await _connect(make, target, tls, name)
    except ssl.SSLError as error:
        raise ConnectionError(f"{error.reason}: {getattr(error, 'verify_message', '') or error.strerror}") from error
    except (OSError, ValueError) as error:
        raise ConnectionError(str(error) or "the peer does not answer") from error


async def _connect(
    make: Callable[[], CallingConnection], target: str, tls: ssl.SSLContext | None, name: str
) -> CallingConnection:
    loop = asyncio.get_running_loop()
    checked = None if tls is None else name
    if target.startswith("unix:"):
        path = target.removeprefix("unix:").removeprefix("//")
        return (await loop.create_unix_connection(make, path, ssl=tls, server_hostname=checked))[1]
    port = int(target.rpartition(":")[2])
    return (await loop.create_connection(make, _host(target), port, ssl=tls, server_hostname=checked))[1]


def _host(target: str) -> str:
    if target.startswith("unix:"):
        return "localhost"
    return target.removeprefix("dns:///").rpartition(":")[0].removeprefix("[").removesuffix("]")
