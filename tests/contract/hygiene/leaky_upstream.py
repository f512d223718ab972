"""
Stands between gateway and simulator and misbehaves where a text says so: `{upstream:garbage} word`.

A provider that sends nonsense, repeats what it was sent, or leaves; used by `conftest`.
"""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORDER = re.compile(rb"\{upstream:([a-z-]+)\} (\w+)")
_KEY = re.compile(rb"^(?:x-api-key|authorization): (?:bearer )?(\S+)", re.IGNORECASE | re.MULTILINE)


class LeakyUpstream:
    """A provider's address, and the keys that were seen there."""

    def __init__(self, server: socketserver.ThreadingTCPServer, keys: set[str]) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.keys = keys
        self._server = server

    def refuse_connections(self) -> None:
        """Take no more; answers that have begun go on."""
        self._server.shutdown()
        self._server.socket.close()


@contextmanager
def leaky_upstream(simulator_url: str) -> Iterator[LeakyUpstream]:
    keys: set[str] = set()
    behind = urlsplit(simulator_url)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head, body = _read_request(self.request)
            if not head:
                return
            keys.update(key.decode() for key in _KEY.findall(head))
            order = _ORDER.search(body)
            if order is None:
                _relay(self.request, (behind.hostname, behind.port), head, body)
            else:
                self.request.sendall(_misbehaviour(order[1].decode(), order[2], head, body))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield LeakyUpstream(server, keys)
        server.shutdown()


def _read_request(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b"", b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]):
        piece = connection.recv(65536)
        if not piece:
            return b"", b""
        body += piece
    return head, body


def _relay(client: socket.socket, behind: tuple[str | None, int | None], head: bytes, body: bytes) -> None:
    head = re.sub(rb"\r\nconnection: [^\r\n]*", b"", head, flags=re.IGNORECASE)
    with socket.create_connection(behind) as upstream, suppress(OSError):
        upstream.sendall(head + b"\r\nconnection: close\r\n\r\n" + body)
        # the simulator must see at once that the client has left
        threading.Thread(target=_hang_up, args=(client, upstream), daemon=True).start()
        while piece := upstream.recv(65536):
            client.sendall(piece)


def _hang_up(client: socket.socket, upstream: socket.socket) -> None:
    with suppress(OSError):
        while client.recv(65536):
            pass
        upstream.shutdown(socket.SHUT_RDWR)


def _misbehaviour(order: str, word: bytes, head: bytes, body: bytes) -> bytes:
    """What is sent instead of an answer; the connection is closed behind it."""
    key = b"".join(_KEY.findall(head))
    nonsense = b"\x00\xff nonsense " + word * 9
    told = {
        "leave": b"",
        "garbage": nonsense,
        "bad-header": b"HTTP/1.1 200 OK\r\nno colon " + word + b"\r\n\r\n",
        "bad-chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz" + nonsense,
        "bad-json": _answer(b"200 OK", b"application/json", b'{"content": ' + nonsense),
        "bad-stream": _answer(b"200 OK", b"text/event-stream", b"event: message_start\ndata: {" + nonsense + b"\n\n"),
        "bad-gzip": _answer(b"200 OK", b"application/json\r\ncontent-encoding: gzip", nonsense),
        "short": _answer(b"200 OK", b"application/json", b'{"text": "%s"}' % (word * 9))[:-40],
        "repeat-body": _answer(b"400 Bad Request", b"application/json", body),
        "repeat-key": _answer(b"422 Odd Key\r\nx-received-key: " + key, b"application/json", _NO_KEY % key),
        "refuse-key": _answer(b"401 Unauthorized\r\nx-received-key: " + key, b"application/json", _NO_KEY % key),
    }
    return told[order]


def _answer(status: bytes, kind: bytes, body: bytes) -> bytes:
    framing = b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body)
    return b"HTTP/1.1 %b\r\ncontent-type: %b\r\n%b%b" % (status, kind, framing, body)


_NO_KEY = b'{"type": "error", "error": {"type": "authentication_error", "message": "no such key: %s"}}'
MISBEHAVIOURS = ("leave", "garbage", "bad-header", "bad-chunk", "bad-json", "bad-stream", "bad-gzip", "short")
