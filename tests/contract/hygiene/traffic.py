"""Everything that is done to a gateway that holds canaries; used by `conftest`."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Any

import httpx2
from contract.hygiene.canary_bodies import CHAT, ENDPOINTS, MESSAGES, STREAMING, not_a_request, plain, request
from contract.hygiene.leaky_upstream import MISBEHAVIOURS

if TYPE_CHECKING:
    from contract.hygiene.canary_client import CanaryClient

GETS = (
    *("/health", "/health/live", "/metrics", "/openapi.json", "/", "/api/hello"),
    *("/v1/responses/resp_0", "/v1/responses/resp_0/input_items", "/v1/models"),
    *("/v1/metrics", "/v1/metrics/recent", "/v1/metrics/recent?n=1000"),
)
ORDINARY = "ordinary"
INVENTED_MODELS = 20


class Traffic:
    """One client that tries everything."""

    def __init__(self, client: CanaryClient) -> None:
        self.canaries = client.canaries
        self._client = client
        self._in_flight: list[threading.Thread] = []

    def ordinary(self) -> None:
        """Calls that succeed, in every form."""
        for path in ENDPOINTS:
            streams = (False, True) if path in STREAMING else (None,)
            for stream in streams:
                for text in ("hello", "[words=3] hello", "[tool] weather?"):
                    self._ordinary(path, self._request(path, f"{text} {unique()}", stream))
            for stream in (*streams, *streams):  # the later ones come from the cache
                self._ordinary(path, self._request(path, f"[echo] {self.canaries.answer}", stream))
            self._ordinary(path, plain(path, unique()), {"x-gateway-conversation-id": self.canaries.conversation})
            self._ordinary(f"{path}?beta={self.canaries.query}", plain(path, unique()))
        for path in STREAMING:
            for name in ("auto", "simple", "complex"):
                self._ordinary(path, request(self.canaries, path, f"{self.canaries.prompt} {unique()}", model=name))
        for path in (MESSAGES, CHAT):
            wanted = {"id": "canary", "variables": {"tone": self.canaries.variable}}
            self._ordinary(path, request(self.canaries, path, f"hello {unique()}", prompt=wanted))
            for _ in range(12):  # each conversation has a key of its own
                self._ordinary(path, plain(path, unique()))

    def other_routes(self) -> None:
        """All other paths, known or not, with and without a key, and methods that they do not take."""
        unknown = (f"/v1/{self.canaries.path}", f"/{self.canaries.path}/x", f"/v1/models/{self.canaries.model}")
        for path in (*GETS, *ENDPOINTS, *unknown):
            for key in (self.canaries.virtual_key, self.canaries.strangers_key, ""):
                self._client.send("GET", path, {"x-api-key": key})
                for name in ("n", "limit", "after_id"):
                    self._client.send(
                        "GET", f"{path.partition('?')[0]}?{name}={self.canaries.query}", {"x-api-key": key}
                    )
                for method in ("DELETE", "HEAD", "OPTIONS", "PUT"):
                    self._client.send(method, path, {"x-api-key": key}, content=self.canaries.malformed.encode())

    def refusals(self) -> None:
        """What the gateway itself refuses: strangers, caps, sizes, names, bodies."""
        for path in ENDPOINTS:
            whole = request(self.canaries, path, self.canaries.prompt)
            for name in ("x-api-key", "authorization"):
                for key in (self.canaries.strangers_key, f"Bearer {self.canaries.strangers_key}", "\xe9" * 9):
                    self._client.post(path, whole, {"x-api-key": "", name: key})
            for limit in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
                self._client.post(path, {**whole, limit: 2**31 - 1})
            self._client.post(path, {**whole, self.canaries.field_name: self.canaries.field_name})
            self._client.post(path, {**whole, "metadata": {"user_id": self.canaries.prompt * 40_000}})
            self._client.post(path, {**whole, "model": self.canaries.model})
            self._client.post(path, {**whole, "model": self.canaries.model * 9})
            for other in ENDPOINTS:
                self._client.post(path, request(self.canaries, other, self.canaries.prompt))
            for version in (0, 9, -1):
                for name in (self.canaries.prompt_name, "canary"):
                    self._client.post(path, {**whole, "prompt": {"id": name, "version": version}})
            for body in not_a_request(path, self.canaries.malformed):
                self._client.post(path, body)

    def refusals_of_the_provider(self) -> None:
        """Every status that a provider can answer, and answers that break off, stall or are none."""
        for path in ENDPOINTS:
            for status in range(400, 600, 1 if path in (MESSAGES, CHAT) else 9):
                stream = status % 10 == 0 if path in STREAMING else None
                self._client.post(path, self._request(path, f"{self.canaries.prompt} [status={status}]", stream))
            orders = [f"[cut=3] [words=9] {self.canaries.prompt}"]
            orders += [f"{{upstream:{name}}} {self.canaries.nonsense} {self.canaries.prompt}" for name in MISBEHAVIOURS]
            for order in orders:
                for stream in (False, True) if path in STREAMING else (None,):
                    self._client.post(path, self._request(path, order, stream))
        for path, stream in ((MESSAGES, False), (MESSAGES, True), (CHAT, True)):
            self._client.post(path, self._request(path, f"[stall=3] [words=9] {self.canaries.prompt}", stream))

    def repeated_by_the_provider(self) -> None:
        """Providers whose errors repeat what they were sent."""
        for path in ENDPOINTS:
            for stream in (False, True) if path in STREAMING else (None,):
                for order in ("repeat-body", "repeat-key"):
                    text = f"{{upstream:{order}}} {self.canaries.prompt}"
                    self._client.post(path, self._request(path, text, stream), what=order)

    def broken_http(self) -> None:
        """Requests that are no HTTP."""
        canary = self.canaries.malformed
        key = f"x-api-key: {self.canaries.virtual_key}\r\n"
        for raw in (
            f"{canary} / HTTP/1.1\r\n\r\n",
            f"GET /{canary} HTTP/{canary}\r\n\r\n",
            f"GET /%{canary}\x01 HTTP/1.1\r\n\r\n",
            f"GET /v1/models HTTP/1.1\r\n{key}no colon {canary}\r\n\r\n",
            f"POST {MESSAGES} HTTP/1.1\r\nhost: x\r\n{key}content-length: {canary}\r\n\r\n",
            f"POST {MESSAGES} HTTP/1.1\r\nhost: x\r\n{key}transfer-encoding: chunked\r\n\r\n{canary}\r\n",
            f"POST {MESSAGES} HTTP/1.1\r\nhost: x\r\n{key}content-length: 900\r\n\r\n{canary}",
            f"GET /v1/models HTTP/1.1\r\nhost: x\r\n{key}upgrade: {canary}\r\nconnection: upgrade\r\n\r\n",
        ):
            self._client.raw(raw.encode("latin-1"))

    def leaving(self) -> None:
        """A client that goes away in the middle of an answer, or before it."""
        for path in STREAMING:
            body = request(self.canaries, path, f"[words=400] [pace=0.02] {self.canaries.prompt}", stream=True)
            with self._client.http.stream("POST", path, json=body, headers=self._client.headers()) as answer:
                next(answer.iter_bytes())
            with httpx2.Client(base_url=self._client.url, timeout=0.3) as hasty:
                try:
                    body = request(self.canaries, path, f"[delay=0.8] {self.canaries.prompt}")
                    hasty.post(path, json=body, headers=self._client.headers())
                except httpx2.TimeoutException:
                    pass
                else:
                    raise AssertionError("the answer came too early to be left")

    def invented_models(self) -> None:
        """Names that nobody has heard of, which the providers take nevertheless."""
        for _ in range(INVENTED_MODELS):
            self._client.post(MESSAGES, {**plain(MESSAGES, unique()), "model": f"{self.canaries.model}-{unique()}"})
            self._client.post(CHAT, {**plain(CHAT, unique()), "model": f"{self.canaries.model}-{unique()}"})

    def begin_streams(self) -> None:
        """Begin answers that take seconds; `await_streams` gets them to their end."""
        for path in STREAMING:
            text = f"[words=60] [pace=0.05] {self.canaries.prompt}"
            body = request(self.canaries, path, text, stream=True)
            begun = threading.Event()
            thread = threading.Thread(target=self._client.stream, args=(path, body, begun), daemon=True)
            thread.start()
            assert begun.wait(20), "a stream did not begin"
            self._in_flight.append(thread)

    def await_streams(self) -> None:
        for thread in self._in_flight:
            thread.join(30)
            assert not thread.is_alive(), "a stream did not end"

    def _ordinary(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._client.post(path, body, headers, what=f"{ORDINARY} {path}")

    def _request(self, path: str, text: str, stream: bool | None) -> dict[str, Any]:
        return request(self.canaries, path, text, **({} if stream is None else {"stream": stream}))


def unique() -> str:
    return secrets.token_hex(8)
