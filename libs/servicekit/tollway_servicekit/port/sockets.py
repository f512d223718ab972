"""The sockets that an address to listen on stands for; asked by `listener`."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BACKLOG = 1024
_WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104  what an operator may write, not what is listened on unasked


@contextmanager
def listening_sockets(address: str) -> Iterator[list[socket.socket]]:
    """
    Yield the sockets of `host:port` or `unix:path`; port 0 takes a free one.

    Raises:
        OSError: It is taken or not ours.
    """
    sockets: list[socket.socket] = []
    path = Path(address.removeprefix("unix:").removeprefix("//")) if address.startswith("unix:") else None
    try:
        try:
            sockets = [_unix(path)] if path else _internet(address)
        except (OSError, ValueError) as error:
            raise OSError(f"cannot listen on {address}: the port is taken or the address is not ours") from error
        for each in sockets:
            each.setblocking(False)
            if path is None:  # inherited by its connections; uvloop sets it by itself, asyncio's own loop does not
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sockets
    finally:
        for each in sockets:
            each.close()
        if path and sockets:
            path.unlink(missing_ok=True)


def _unix(path: Path) -> socket.socket:
    if path.is_socket():  # a process that was killed leaves it behind
        with suppress(FileNotFoundError):
            path.unlink()
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _internet(address: str) -> list[socket.socket]:
    host, _, text = address.rpartition(":")
    host, port = host.removeprefix("[").removesuffix("]"), int(text)
    if host in _WILDCARDS and socket.has_dualstack_ipv6():
        # as gRPC takes it: an address of either family, whichever wildcard was written
        both = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG)
        return [both]
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, name in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            sockets.append(socket.create_server((name[0], port), family=family, backlog=_BACKLOG))
            port = port or int(sockets[0].getsockname()[1])
    except OSError:
        for each in sockets:
            each.close()
        raise
    return sockets
