"""One client call, from its headers to its row in the ledger; every step of the pipeline reads and adds to it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from random import getrandbits
from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.usage import Usage

if TYPE_CHECKING:
    from tollway_dialects.dialect import Dialect, Wire
    from tollway_dialects.request import RequestBody

    from tollway_edge.domain.forwarded import Forwarded
    from tollway_edge.domain.workspaces import Workspace


class CallStatus(StrEnum):
    """How a call ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


# Python 3.11 runs a call to find a member, and every call of a client asks for some
RUNNING, SUCCEEDED, FAILED, CANCELLED = CallStatus


def now_unix_ms() -> int:
    return time.time_ns() // 1_000_000


def new_call_id(unix_ms: int | None = None) -> str:
    """Return 32 hex digits in the order of time, so that a ledger's index grows at its end; the last 20 are random."""
    return ((unix_ms or now_unix_ms()) << 80 | getrandbits(80)).to_bytes(16).hex()


class Call(msgspec.Struct):
    """Everything that is known of a call so far; a struct, since each call makes one."""

    dialect: Dialect
    wire: Wire
    """The dialect's."""
    key_digest: bytes
    """Of the virtual key; nothing where there was none."""
    forwarded: Forwarded
    query: str = ""
    traceparent: str = ""
    conversation_id: str = ""
    """The client's name of the conversation, from its headers."""
    call_id: str = msgspec.field(default_factory=new_call_id)
    started: float = msgspec.field(default_factory=time.monotonic)
    started_unix_ms: int = msgspec.field(default_factory=now_unix_ms)

    workspace: Workspace | None = None
    body: RequestBody | None = None
    requested_model: str = ""
    is_stream: bool = False
    max_tokens: int | None = None
    wants_usage_event: bool = False
    strips_usage_event: bool = False
    kept_answer_id: str = ""
    """An earlier answer that a provider keeps and this call goes on from."""
    is_kept: bool = False
    """The provider keeps the answer."""
    prompt: str = ""
    """name@version of the prompt that was put before the client's."""

    exact_key: bytes = b""
    """Empty where the answer may neither come from the cache nor go into it."""
    cache: str = "none"
    models: Sequence[str] = ()
    """Models that may answer, best first."""
    tier: str = "n/a"
    classifier: str = "n/a"

    is_dispatched: bool = False
    """A provider may have read the prompt."""
    tried: tuple[str, str] | None = None
    """The last provider and model, where none answered and provider-dispatch said so, and what was used."""
    provider: str = ""
    model: str = ""
    """The one that answered."""
    usage: Usage = Usage()
    output_so_far: int = 0
    """Tokens counted in what was streamed since `usage` was told."""
    attempts: Sequence[object] = ()
    """As provider-dispatch told them; carried to the ledger unread."""
    stop_reason: str = ""
    body_changes: Sequence[str] = ()
    dropped: Sequence[str] = ()
    fallback: str = ""
    """Why another than the first choice answered."""
    saved_micro_usd: int = 0
    last_resort: str = ""
    """What the client is told where nobody can answer; empty: the error."""
    is_last_resort: bool = False
    """It was told that."""

    status: CallStatus = RUNNING
    http_status: int = 0
    last_sent: bytes = b""
    """The latest events of a stream that the client got; an error event goes on from there."""
    reason: str = ""
    first_byte: float = 0.0
    """When status and headers left, in the time of `started`; 0 where none did."""
    seconds: float = 0.0
    """From its first byte to its end; known once it is settled."""

    @property
    def query_id(self) -> str:
        return self.call_id[-8:]

    def thinks(self) -> bool:
        """The first token of its stream may come late, since thought before it is asked for, in any dialect's words."""
        if not self.is_stream or self.body is None:
            return False
        fields = self.body.fields
        if (thinking := fields.get("thinking")) is not None:
            return b'"disabled"' not in bytes(thinking)
        return "reasoning_effort" in fields or "reasoning" in fields

    def begin_answer(self, http_status: int) -> None:
        """Note that status and headers leave now."""
        self.http_status = http_status
        self.first_byte = time.monotonic()

    def end(self, status: CallStatus, reason: str = "") -> None:
        """Note how the call ended; the first ending counts."""
        if self.status is RUNNING:
            self.status = status
            if reason:
                self.reason = reason

    def settle(self) -> None:
        """Note that it is over."""
        self.seconds = time.monotonic() - self.started
