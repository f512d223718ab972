"""One TCP connection that says what no client library would, and reads strictly what comes back; used by every test."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

# how long anything may take before it counts as hanging; far above every limit under test
PATIENCE_SECONDS = 15


class ConnectionEnded(Exception):
    """The gateway closed the connection where bytes were due; `rest` is what came before."""

    def __init__(self, rest: bytes) -> None:
        super().__init__(f"the connection ended after {len(rest)} bytes of an answer")
        self.rest = rest


@dataclass(frozen=True)
class Answer:
    """One answer as it stood on the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<{self.status} {self.header('content-type')} {self.body[:300]!r}>"

    def header(self, name: str) -> str:
        return next((value for known, value in self.headers if known == name), "")

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def says_close(self) -> bool:
        return "close" in self.header("connection").lower()


class Connection:
    """
    A client's end.

    Args:
        url: Address of the gateway.
        receive_buffer: Bytes that the kernel keeps for a client that does not read; None leaves it its default.
    """

    def __init__(self, url: str, receive_buffer: int | None = None) -> None:
        address = urlsplit(url)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect((address.hostname, address.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.read_size = 1 << 16
        self._read = bytearray()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, *pieces: bytes) -> None:
        """Write each piece by itself; a gateway that closed meanwhile is no error, its answer may still be read."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return

    def ask(self, *pieces: bytes, method: str = "POST") -> Answer:
        self.send(*pieces)
        return self.answer(method)

    def answer(self, method: str = "POST") -> Answer:
        """Read the next answer; interim ones are passed over."""
        answer = self.head()
        while answer.status < 200:
            answer = self.head()
        body = b"" if method == "HEAD" or answer.status in (204, 304) else self._body(answer)
        return Answer(answer.status, answer.headers, body)

    def answer_or_end(self) -> Answer | None:
        """Read the next answer; None where the gateway closes the connection without one."""
        try:
            return self.answer()
        except ConnectionEnded as ended:
            if ended.rest:
                raise
            return None

    def head(self) -> Answer:
        """Read status line and headers."""
        lines = self.until(b"\r\n\r\n").split(b"\r\n")
        version, status, _ = lines[0].split(b" ", 2)
        assert version == b"HTTP/1.1", lines[0]
        pairs = [line.decode("latin-1").split(": ", 1) for line in lines[1:] if line]
        assert all(len(pair) == 2 for pair in pairs), lines
        return Answer(int(status), [(name.lower(), value) for name, value in pairs])

    def rest(self) -> bytes:
        """Read what comes until the gateway closes the connection."""
        try:
            while self._receive():
                pass
        except ConnectionResetError:
            pass
        return bytes(self._read)

    def drip(self, pieces: Iterable[bytes], every: float) -> None:
        """Write a piece every so many seconds, until all are out or the gateway answers or closes."""
        self.socket.settimeout(every)
        try:
            for piece in pieces:
                self.socket.sendall(piece)
                if self._came():
                    return
        except (BrokenPipeError, ConnectionResetError):
            return
        finally:
            self.socket.settimeout(PATIENCE_SECONDS)

    def stop_sending(self) -> None:
        """Close our half."""
        self.socket.shutdown(socket.SHUT_WR)

    def leave(self, *, abruptly: bool = False) -> None:
        """Close the connection; abruptly is by a reset, as when a machine or a proxy dies."""
        if abruptly:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _body(self, head: Answer) -> bytes:
        if length := head.header("content-length"):
            return self._exactly(int(length))
        assert head.header("transfer-encoding") == "chunked", head
        body = b""
        while size := int(self.until(b"\r\n"), 16):
            body += self._exactly(size)
            assert self._exactly(2) == b"\r\n"
        assert self.until(b"\r\n") == b"\r\n"
        return body

    def until(self, end: bytes) -> bytes:
        """Read up to and with `end`."""
        begin = 0
        while (at := self._read.find(end, begin)) < 0:
            begin = max(0, len(self._read) - len(end))
            self._more()
        return self._take(at + len(end))

    def _exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            self._more()
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._read[:size])
        del self._read[:size]
        return taken

    def _more(self) -> None:
        try:
            came = self._receive()
        except ConnectionResetError:
            came = 0
        if not came:
            raise ConnectionEnded(bytes(self._read))

    def _came(self) -> bool:
        try:
            self._read += self.socket.recv(self.read_size)
        except TimeoutError:
            return False
        return True

    def _receive(self) -> int:
        try:
            data = self.socket.recv(self.read_size)
        except TimeoutError:
            raise AssertionError(f"neither an answer nor a close within {PATIENCE_SECONDS} seconds") from None
        self._read += data
        return len(data)
