"""What is asked, and what a right answer looks like; used by `measure`."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from bench.errors import BenchFailed

if TYPE_CHECKING:
    from bench.load import Answer, Check
    from bench.processes import Target

BODY_BYTES = 1126  # 1.1 KiB
LARGE_BODY_BYTES = 400_000
TURN = 'She asked: "what does line 7 do?"\n\tIt returns the café\'s total, as a number.\n' * 25  # 2 KiB
MODEL = "claude-sonnet-5-5"
JSON_WORDS = 55  # makes an answer of 0.6 KiB
STREAM_WORDS = 50
NUMBER_DIGITS = 12
MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    directives: str
    """Words in the prompt that tell the simulator what to answer."""
    words: int
    """In the answer; one event each where it is a stream."""
    is_stream: bool = False
    is_repeated: bool = False
    """The same body every time, so that Tollway answers from its cache; else no two prompts are equal."""
    share: float = 1.0
    """Of REQUESTS."""
    body_bytes: int = BODY_BYTES
    begins_anew: bool = False
    """A long prompt differs from all others in its first turn, too; else in its last turn alone, as a conversation that
    goes on does from how it was before."""

    def requests(self, target: Target, count: int) -> list[bytes]:
        numbers = itertools.repeat(0, count) if self.is_repeated else itertools.islice(_numbers, count)
        return [self.request(target.host, target.port, target.key, number) for number in numbers]

    def request(self, host: str, port: int, key: str, number: int = 0) -> bytes:
        return _request(host, port, key, self._body(number))

    def _body(self, number: int) -> bytes:
        return (b"%0*d" % (NUMBER_DIGITS, number)).join(_around_numbers(self))

    def check(self, target: Target) -> Check:
        """Return what raises `BenchFailed` unless an answer is right, whole, and came the way that is measured."""
        layer = b"exact" if self.is_repeated else b"none"

        def check(answer: Answer) -> None:
            if answer.status != 200:
                raise BenchFailed(f"{target.name} answered {self.title} with {answer.status}: {answer.body[:300]!r}")
            if not self._is_whole(answer.body):
                raise BenchFailed(f"{target.name} answered {self.title} with something else: …{answer.body[-300:]!r}")
            if not target.is_tollway:
                return
            told = answer.headers.get(b"x-gateway-cache"), answer.headers.get(b"x-gateway-provider")
            if told != (layer, b"simulator"):
                raise BenchFailed(f"{target.name}, {self.title}: cache and provider should be {layer!r}, not {told!r}")

        return check

    def _is_whole(self, body: bytes) -> bool:
        if self.is_stream:
            return body.endswith(MESSAGE_STOP) and body.count(b'"text_delta"') == self.words
        answer = json.loads(body)
        return answer["stop_reason"] == "end_turn" and len(answer["content"][0]["text"].split()) == self.words


JSON = Case("json", "JSON, unique prompts", f"[words={JSON_WORDS}]", JSON_WORDS)
HIT = Case("hit", "JSON, exact-cache hit", f"[words={JSON_WORDS}]", JSON_WORDS, is_repeated=True)
STREAM = Case("stream", "stream of 50, unpaced", "[words=50]", STREAM_WORDS, is_stream=True, share=0.5)
PACED = Case("paced", "stream of 50, every 10 ms", "[words=50][pace=0.01]", STREAM_WORDS, is_stream=True, share=0.096)
LARGE = Case(
    "large", "request with a 400 KB body", f"[words={JSON_WORDS}]", JSON_WORDS, share=0.2, body_bytes=LARGE_BODY_BYTES
)
NEW = Case(
    "new", "  one that begins as none did", f"[words={JSON_WORDS}]", JSON_WORDS, share=0.2,
    body_bytes=LARGE_BODY_BYTES, begins_anew=True,
)  # fmt: skip
CASES = (JSON, HIT, STREAM, PACED, LARGE, NEW)


@cache
def _around_numbers(case: Case) -> list[bytes]:
    """Return a case's body, but for the number that makes each prompt another one."""
    mark = "#"
    messages = [{"role": "user", "content": f"{case.directives} question {mark} "}]
    fields = {"model": MODEL, "max_tokens": 1024, "stream": case.is_stream, "messages": messages}
    messages[:0] = _earlier_turns(case.body_bytes - NUMBER_DIGITS - len(_encoded(fields)))
    if case.begins_anew:
        messages[0] = {"role": "user", "content": mark + TURN[NUMBER_DIGITS:]}
    numbers = _encoded(fields).count(mark.encode())
    room = case.body_bytes - numbers * (NUMBER_DIGITS - len(mark))
    messages[-1]["content"] += "x" * (room - len(_encoded(fields)))
    return _encoded(fields).split(mark.encode())


def _earlier_turns(room: int) -> list[dict[str, str]]:
    """Return a conversation that fills a large body nearly; none for a small one."""
    turns = [{"role": role, "content": TURN} for role in ("user", "assistant")]
    return turns * (room // len(_encoded(turns)))


def _encoded(value: object) -> bytes:
    """Return JSON as the SDKs of providers write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _request(host: str, port: int, key: str, body: bytes) -> bytes:
    head = (
        f"POST /v1/messages HTTP/1.1\r\nhost: {host}:{port}\r\nx-api-key: {key}\r\n"
        "anthropic-version: 2023-06-01\r\naccept: application/json\r\nuser-agent: tollway-bench\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
