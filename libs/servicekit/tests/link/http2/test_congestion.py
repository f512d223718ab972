"""A link's caller leaves no congestion control in place that sends by timers."""

from __future__ import annotations

import socket

import pytest
from tollway_servicekit.link.http2.caller import send_unpaced

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_CONGESTION"), reason="only Linux lets a socket choose")


class Socket:
    """A socket with a congestion control, of a system that allows some."""

    family = socket.AF_INET

    def __init__(self, used: bytes, *allowed: bytes) -> None:
        self.used, self.allowed = used, allowed

    def getsockopt(self, level: int, option: int, length: int) -> bytes:
        assert (level, option) == (socket.IPPROTO_TCP, socket.TCP_CONGESTION)
        return self.used.ljust(length, b"\0")

    def setsockopt(self, level: int, option: int, name: bytes) -> None:
        if name not in self.allowed:
            raise PermissionError(name)
        self.used = name


@pytest.mark.parametrize(
    ("used", "allowed", "then"),
    [
        (b"bbr", (b"reno", b"cubic", b"bbr"), b"cubic"),
        (b"bbr", (b"reno", b"bbr"), b"reno"),
        (b"bbr", (), b"bbr"),
        (b"dctcp", (b"reno", b"cubic"), b"dctcp"),
        (b"cubic", (b"reno", b"cubic"), b"cubic"),
    ],
)
def test_one_that_sends_by_timers_is_left_where_the_system_allows(used, allowed, then) -> None:
    sock = Socket(used, *allowed)
    send_unpaced(sock)
    assert sock.used == then


def test_what_is_no_tcp_socket_is_left_alone() -> None:
    send_unpaced(None)
    one, other = socket.socketpair()
    with one, other:
        send_unpaced(one)


def test_a_socket_of_this_system_is_asked_as_it_must_be() -> None:
    with socket.socket() as sock:
        send_unpaced(sock)
        assert not sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).startswith(b"bbr")
