"""Every port of the pipeline in one honest fake, and calls to put through it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.header_lines import from_lines
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES
from tollway_edge.domain.answer import AnswerEnd, AnswerHead, AnswerPiece, TierChoice
from tollway_edge.domain.call import Call
from tollway_edge.domain.forwarded import Forwarded
from tollway_edge.domain.keeping import Keeping
from tollway_edge.domain.pipeline import Limits, Pipeline
from tollway_edge.domain.tiers import Tier, Tiers
from tollway_edge.domain.workspaces import Workspace, Workspaces, digest_of
from tollway_pricing.table import PriceTable
from tollway_servicekit.testing import STUB_KINDS, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

KEY = "tw_test"
TIERS = (
    Tier("simple", ("fast",), ("claude-haiku", "gpt-small"), ("claude-haiku", "gpt-small")),
    Tier("standard", ("Balanced",), ("claude-sonnet",), ("claude-opus",)),
)


class Ports:
    """Notes what it was asked, in order; a test tells what to answer, where to fail and where to hold."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.failures: dict[str, BaseException] = {}
        self.holds_at = ""
        self.reached = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.recorded = asyncio.Event()
        self.cached: Any = None
        self.may_be_stored = True
        self.choice = TierChoice("simple", "heuristic")
        self.whole: AnswerPiece | None = None
        self.pieces: list[AnswerPiece] = []
        self.stored: list[bytes] = []
        self.records: list[Call] = []
        self.reserved: list[tuple[int, int]] = []
        self.body = b""
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.sent = b""
        self.is_ended = False
        self.is_upstream_open = False
        self.hands_on = False
        """Dispatch uses `hand_on`."""
        self.is_slow = self.is_behind = False
        """The client is, after each piece."""

    async def _step(self, name: str) -> None:
        if name == self.holds_at:
            self.reached.set()
            await self.goes_on.wait()
        self._note(name)

    def _note(self, name: str) -> None:
        self.steps.append(name)
        if error := self.failures.get(name):
            raise error

    async def await_records(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.records) < count:
                self.recorded.clear()
                await self.recorded.wait()

    def body_at_hand(self) -> bytes | None:
        return None

    async def read_body(self) -> bytes:
        await self._step("read_body")
        return self.body

    async def resolve(self, call: Call, name: str, version: int, variables: Any) -> tuple[str, str]:
        await self._step("resolve")
        return f"{name}@{version or 3}", "Be brief."

    def may_hold(self, exact_key: bytes) -> bool:
        return self.may_be_stored

    async def look_up(self, call: Call) -> Any:
        await self._step("look_up")
        return self.cached

    def store(self, call: Call, body: bytes, cost_micro_usd: int) -> None:
        self._note("store")
        self.stored.append(body)

    async def classify(self, call: Call, features: Any) -> TierChoice:
        await self._step("classify")
        return self.choice

    async def reserve(self, call: Call, input_tokens: int, output_tokens: int) -> None:
        await self._step("reserve")
        self.reserved.append((input_tokens, output_tokens))

    async def complete(self, call: Call) -> AnswerPiece:
        await self._step("complete")
        assert self.whole is not None
        return self.whole

    @asynccontextmanager
    async def stream(self, call: Call, hand_on: Any) -> AsyncIterator[Any]:
        self.steps.append("stream")
        self.is_upstream_open = True
        try:
            yield self._pieces(hand_on)
        finally:
            self.is_upstream_open = False

    async def _pieces(self, hand_on: Any) -> AsyncIterator[AnswerPiece]:
        for number, piece in enumerate(self.pieces):
            await self._step(f"piece {number}")
            if not self.hands_on or piece.head or piece.end:
                yield piece
            elif not hand_on(piece.data, piece.output_so_far):
                yield msgspec.structs.replace(piece, data=b"")
        # as over a network, the end of the messages comes a moment after the last one
        for _ in range(5):
            await asyncio.sleep(0)
        await self._step("no more pieces")

    def record(self, call: Call, cost_micro_usd: int | None) -> None:
        self.steps.append("record")
        self.records.append(msgspec.structs.replace(call))
        self.recorded.set()

    @property
    def is_begun(self) -> bool:
        return bool(self.status)

    async def answer(self, status: int, header_lines: bytes, body: bytes) -> None:
        if not self.send_whole(status, header_lines, body):
            await self.end()

    def send_whole(self, status: int, header_lines: bytes, body: bytes) -> bool:
        self._note("begin")
        self._begin(status, header_lines)
        self.sent += body
        self.is_ended = not self.is_slow
        return self.is_ended

    async def begin(self, status: int, header_lines: bytes) -> None:
        await self._step("begin")
        self._begin(status, header_lines)

    def _begin(self, status: int, header_lines: bytes) -> None:
        assert not self.status, "a second answer"
        self.status, self.headers = status, dict(from_lines(header_lines))

    def send(self, data: bytes) -> bool:
        self._note("send")
        assert data, "nothing would end a body in chunks"
        assert self.status
        assert not self.is_ended
        assert not self.is_behind, "it was not waited for"
        self.sent += data
        self.is_behind = self.is_slow
        return not self.is_behind

    def send_last(self, data: bytes) -> bool:
        return self.send(data)

    async def drained(self) -> None:
        if self.is_behind:
            await self._step("drained")
        self.is_behind = False

    async def end(self) -> None:
        await self._step("end")
        self.is_ended = True


@pytest.fixture
def ports() -> Ports:
    return Ports()


@pytest.fixture
def workspaces() -> Workspaces:
    known = Workspaces()
    known.replace({hashlib.sha256(KEY.encode()).digest(): Workspace("acme")}, PriceTable([]))
    return known


@pytest.fixture
def capped(workspaces: Workspaces) -> Workspaces:
    workspaces.replace({hashlib.sha256(KEY.encode()).digest(): Workspace("acme", 10_000)}, PriceTable([]))
    return workspaces


@pytest.fixture
def keeping() -> Keeping:
    return Keeping(100_000, lambda: 0)


@pytest.fixture
def pipeline(ports: Ports, workspaces: Workspaces, keeping: Keeping) -> Pipeline:
    return Pipeline(workspaces, *[ports] * 6, tiers=Tiers(TIERS), limits=Limits(4096, 2000, True), keeping=keeping)


@pytest.fixture
def make_call() -> Callable[..., Call]:
    def make(dialect: str = "anthropic", credential: str = KEY, **fields: Any) -> Call:
        forwarded = Forwarded.of(fields.pop("forwarded", [(b"anthropic-version", b"2023-06-01")]))
        wire = WIRES[Dialect(dialect)]
        return Call(wire.dialect, wire, key_digest=digest_of(credential), forwarded=forwarded, **fields)

    return make


@pytest.fixture
def make_body() -> Callable[..., bytes]:
    def make(**fields: Any) -> bytes:
        usual = {"model": "claude-haiku", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
        return json.dumps({name: value for name, value in (usual | fields).items() if value is not ...}).encode()

    return make


@pytest.fixture
def make_piece() -> Callable[..., AnswerPiece]:
    def make(data: bytes = b"{}", status: int = 200, stop_reason: str = "end_turn", **fields: Any) -> AnswerPiece:
        head = AnswerHead(status, b"content-type: application/json\r\n", "anthropic", "claude-haiku")
        return AnswerPiece(head, data, Usage(10, output=5), AnswerEnd(True, stop_reason=stop_reason), **fields)

    return make


EVENTS = [
    {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
    {"type": "message_stop"},
]


@pytest.fixture
def make_stream() -> Callable[..., list[AnswerPiece]]:
    def make(end: AnswerEnd | None = None, events: int = 6) -> list[AnswerPiece]:
        head = AnswerHead(200, b"content-type: text/event-stream\r\n", "anthropic", "claude-haiku")
        data = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in EVENTS[:events]]
        last = AnswerPiece(usage=Usage(10, output=1), end=end or AnswerEnd(True, stop_reason="end_turn"))
        return [AnswerPiece(head=head), *[AnswerPiece(data=part) for part in data], last]

    return make


class Servicer:
    """Every RPC of every service: answers with what a test gave, or raises it, and keeps the request."""

    def __init__(self, answer: Any, contract: Any) -> None:
        self.answer, self.asked, self.context = answer, None, None
        for name, method in contract.methods.items():
            setattr(self, name, self._stream if method.is_server_streaming else self._serve)

    async def _serve(self, request: Any, context: Any) -> Any:
        self.asked, self.context = request, context
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def _stream(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.asked, self.context = request, context
        for answer in self.answer if isinstance(self.answer, list) else [self.answer]:
            if isinstance(answer, Exception):
                raise answer
            yield answer


@pytest.fixture(params=STUB_KINDS)
def serve(request: pytest.FixtureRequest) -> Any:
    @asynccontextmanager
    async def open_stub(contract: Any, answer: Any) -> AsyncIterator[tuple[Any, Servicer]]:
        servicer = Servicer(answer, contract)
        async with stub_of(request.param, contract, servicer) as stub:
            yield stub, servicer

    return open_stub
