"""A call as dispatch gets it, the tries that it takes, and the pieces of answer that it gives back."""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from tollway_dialects.conversation import conversation_of
from tollway_dialects.request import MalformedRequest, RequestBody
from tollway_dialects.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway_dialects.dialect import Dialect


class ChatCall(msgspec.Struct, frozen=True):
    """One client call, ready for an upstream of the same dialect."""

    call_id: str
    dialect: Dialect
    models: Sequence[str]
    """Models that may answer, best first."""
    body: bytes | memoryview
    """A long one may be left where it was read."""
    body_model: str
    """The name in the body, replaced where another model is called."""
    header_lines: bytes
    query: str
    conversation: bytes
    """The name that the client gave the conversation in a header; empty where it gave none."""
    strip_usage_event: bool
    workspace: str = ""
    kept_answer_id: str = ""
    """An earlier answer that the call goes on from; the account that made it is the one to ask."""
    is_kept: bool = False
    """The provider keeps the answer."""
    thinks: bool = False
    """The request asks for thought before the answer."""
    deadline: float = inf
    """When the caller gives up, in `Clock.now()`."""
    rows: list[Attempt] = []
    """What was tried for it so far, for a caller in this process that leaves before it is told."""

    def conversation_key(self) -> bytes:
        """Return what is the same for every call of a conversation; read from the body only where somebody asks."""
        if self.conversation:
            return self.conversation
        try:
            return conversation_of(RequestBody.parse(bytes(self.body)), self.dialect, self.workspace)
        except MalformedRequest:
            return b""  # the provider judges it


class KeptAnswerRequest(msgspec.Struct, frozen=True):
    """A client's request about an answer that a provider keeps."""

    method: str
    kept_id: str
    below: str
    """Path below the answer; empty for the answer itself."""
    query: str
    header_lines: bytes
    workspace: str

    @property
    def path(self) -> str:
        """Path below the provider's path for answers; an id is one segment of it, whatever a client wrote."""
        name = quote(self.kept_id, safe="")
        return f"/{name}/{quote(self.below)}" if self.below else f"/{name}"


class Outcome(StrEnum):
    """How one upstream try ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    BROKEN = "broken"


# Python 3.11 runs a call to find a member, and every call of a client asks for some
RUNNING, SUCCEEDED, REFUSED, BROKEN = Outcome


class Attempt(msgspec.Struct):
    """One try at one provider."""

    number: int
    provider: str
    model: str
    key_fingerprint: str
    started_unix_ms: int
    http_status: int = 0
    outcome: Outcome = RUNNING
    reason: str = ""
    usage: Usage = Usage()
    duration_ms: int = 0


class Head(msgspec.Struct, frozen=True):
    """What is known once a provider has answered with a status."""

    status: int
    header_lines: bytes
    provider: str
    model: str
    body_changes: tuple[str, ...] = ()
    fallback: str = ""
    """From whom, to whom and why; empty where the first choice answered."""
    dropped: tuple[str, ...] = ()
    """What the provider's dialect could not say, in the client's words."""


class Failure(msgspec.Struct, frozen=True):
    """No provider gave an answer that could be passed on."""

    reason: str
    message: str
    retry_after_ms: int


class End(msgspec.Struct, frozen=True):
    """How an answer ended."""

    is_complete: bool
    reason: str = ""
    stop_reason: str = ""
    provider: str = ""
    """Who took the stream on, where it was not who began it; and the model."""
    model: str = ""


class Piece(msgspec.Struct, frozen=True):
    """Part of an answer: the first has head or failure, the last end; a whole answer is one piece with all."""

    head: Head | None = None
    data: bytes = b""
    usage: Usage | None = None
    end: End | None = None
    failure: Failure | None = None
    attempts: tuple[Attempt, ...] = ()
    output_so_far: int = 0
    """Tokens counted in what was streamed, where `usage` is not told anew."""

    def parts(self) -> tuple[Piece, ...]:
        """Return a stream that broke off as its beginning and its end; anything else as it is."""
        if self.head is None or self.end is None or self.end.is_complete:
            return (self,)
        return Piece(head=self.head, usage=self.usage, attempts=self.attempts), msgspec.structs.replace(self, head=None)
