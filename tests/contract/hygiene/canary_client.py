"""One HTTP client that carries canaries in every header, and what it was answered; used by `traffic`."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

if TYPE_CHECKING:
    from contract.hygiene.canaries import Canaries


@dataclass(frozen=True)
class Answer:
    """What a client saw."""

    what: str
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def is_of_the_provider(self) -> bool:
        return self.status >= 400 and dict(self.headers).get(b"x-gateway-provider", b"n/a") != b"n/a"

    @property
    def error(self) -> bytes:
        """The body of an error, and the last event of a stream that ends in one."""
        if self.status >= 400:
            return self.body
        _, marker, last = self.body.rpartition(b"event: error" if b"event: error" in self.body else b'data: {"error"')
        return last if marker else b""


@dataclass
class CanaryClient:
    """Sends, and keeps every answer."""

    url: str
    canaries: Canaries
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx2.Client(base_url=self.url, timeout=30)

    def get(self, path: str) -> bytes:
        return self.send("GET", path, {"x-api-key": self.canaries.virtual_key}).body

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None, what: str = "") -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, headers, content=content, what=what)

    def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, content: bytes = b"", what: str = ""
    ) -> Answer:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in self.headers(headers).items()]
        got = self.http.request(method, path, content=content, headers=raw)
        answer = Answer(what or f"{method} {path} {content[-80:]!r}", got.status_code, got.headers.raw, got.content)
        self.answers.append(answer)
        return answer

    def headers(self, headers: dict[str, str] | None = None) -> dict[str, str]:
        return {
            "x-api-key": self.canaries.virtual_key,
            "anthropic-version": "2023-06-01",
            "content-type": "application/json",
            "user-agent": self.canaries.user_agent,
            "cookie": f"session={self.canaries.cookie}",
            "anthropic-beta": self.canaries.header,
            "openai-beta": self.canaries.header,
            "idempotency-key": self.canaries.header,
            "traceparent": self.canaries.header,
            "x-forwarded-for": self.canaries.header,
            "x-of-no-use": self.canaries.header,
            **(headers or {}),
        }

    def stream(self, path: str, body: dict[str, Any], begun: threading.Event) -> None:
        """Read an answer to its end; tell when it has begun."""
        pieces = []
        with httpx2.stream("POST", f"{self.url}{path}", json=body, headers=self.headers(), timeout=30) as answer:
            for piece in answer.iter_bytes():
                begun.set()
                pieces.append(piece)
        self.answers.append(
            Answer(f"stream in flight {path}", answer.status_code, answer.headers.raw, b"".join(pieces))
        )

    def raw(self, data: bytes) -> None:
        """Send bytes as they are, and take what comes."""
        address = urlsplit(self.url)
        with socket.create_connection((address.hostname, address.port), timeout=2) as connection:
            connection.sendall(data)
            received = b""
            try:
                while piece := connection.recv(65536):
                    received += piece
                    if b"content-length: 0" not in received and received.endswith((b"}", b"received.")):
                        break
            except (TimeoutError, ConnectionError):
                pass  # it still waits for the rest of the body
        head, _, body = received.partition(b"\r\n\r\n")
        headers = [tuple(line.split(b": ", 1)) for line in head.split(b"\r\n")[1:] if b": " in line]
        status = int(head[9:12]) if head else 0
        self.answers.append(Answer(f"raw {data[:60]!r}", status, headers, body))  # type: ignore[arg-type]
