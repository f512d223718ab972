"""The dialects that clients speak, and what every one of them can do."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from tollway_dialects.errors import GatewayErrorKind
    from tollway_dialects.request import RequestBody
    from tollway_dialects.usage import Usage


class Dialect(StrEnum):
    """A wire shape in which clients ask and are answered."""

    ANTHROPIC_MESSAGES = "anthropic"
    ANTHROPIC_COUNT_TOKENS = "anthropic_count_tokens"
    OPENAI_CHAT = "openai"
    OPENAI_RESPONSES = "openai_responses"
    OPENAI_EMBEDDINGS = "openai_embeddings"
    OPENAI_INPUT_TOKENS = "openai_input_tokens"
    GEMINI = "gemini"
    """Of providers only: no client of the gateway asks in it."""


# their requests have the same shape
LIKE_RESPONSES = frozenset({Dialect.OPENAI_RESPONSES, Dialect.OPENAI_INPUT_TOKENS})


class StreamReader(Protocol):
    """Reads one answer's event stream as it passes, without holding it up."""

    is_complete: bool
    """The dialect's final event was seen."""
    error: str | None
    """Type of the error event that was seen, if any."""
    stop_reason: str | None
    told: Usage
    """What the provider told, the estimate of the input until then; another object each time that it tells more."""
    streamed: int
    """Tokens of output, as counted from what came."""
    kept_id: str
    """Under which the provider keeps the answer; empty until it is told, and where it keeps none."""

    @property
    def usage(self) -> Usage:
        """Cumulative; `is_estimated` until the provider told the final count."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes cut anywhere; return whole events, so that an error event can follow wherever it breaks off."""


class Wire(Protocol):
    """One dialect: what its requests ask for, and how its answers are read, replayed and refused."""

    dialect: ClassVar[Dialect]
    path: ClassVar[str]
    """Where clients and providers of this dialect take requests."""
    streams: ClassVar[bool] = True
    """Answers may come as event streams; where they never do, `stream` in a request means nothing."""
    is_free: ClassVar[bool] = False
    """No provider charges for it."""
    output_limits: ClassVar[tuple[str, ...]]
    """Fields of a request that bound the tokens of its answer; none where an answer has no tokens."""
    not_shaping: ClassVar[frozenset[str]]
    """Fields that make no other question of it: who asks, and how the answer is delivered."""
    final_event: ClassVar[bytes] = b""
    """What ends a stream that has said all; nothing where the final event says something itself."""
    always_streams_usage: ClassVar[bool] = True
    """Every stream tells its usage, so one that was kept serves every client as it is."""

    def is_cacheable(self, body: RequestBody) -> bool:
        """Say whether an equal request may be given the same answer: not where the provider keeps state for it."""
        return True

    def adds_kept_input(self, body: RequestBody) -> bool:
        """Say whether the provider adds input that it keeps, so that the body's size does not bound it."""
        return False

    def outlives_answer(self, body: RequestBody) -> bool:
        """Say whether the provider works on, and charges, after its answer has ended."""
        return False

    def keeps_answer(self, body: RequestBody) -> bool:
        """Say whether the provider keeps the answer under an id, so that later requests may name it."""
        return False

    def kept_answer_named(self, body: RequestBody) -> str:
        """Return the id of an earlier answer that the provider keeps and this request goes on from; empty for none."""
        return ""

    def read_kept_id(self, body: bytes) -> str:
        """Return the id under which a whole JSON answer is kept; empty where it has none."""
        return ""

    def read_usage(self, body: bytes) -> tuple[Usage | None, str | None]:
        """Return usage and stop reason of a whole JSON answer; None where it does not tell."""
        ...

    def stream_reader(self, input_estimate: int, *, strip_usage: bool) -> StreamReader:
        """Return a reader; `input_estimate` stands in until the provider tells its input count."""
        raise TypeError(f"{self.path} does not stream")

    def to_events(self, body: bytes, *, with_usage: bool) -> bytes:
        """Return a whole JSON answer as the event stream that would have said the same."""
        raise TypeError(f"{self.path} does not stream")

    def from_events(self, events: bytes, usage: Usage) -> bytes:
        """
        Return a complete event stream as the JSON answer that would have said the same.

        Raises:
            LookupError, TypeError, ValueError: It cannot be put together.
        """
        raise TypeError(f"{self.path} does not stream")

    def error_body(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        """Return an error answer that raises the right class in this dialect's SDKs."""
        ...

    def error_event(self, kind: GatewayErrorKind, message: str, request_id: str, after: bytes = b"") -> bytes:
        """Return what ends a stream that cannot be completed; `after` is what was last sent of it, whole events."""
        raise TypeError(f"{self.path} does not stream")

    def is_storable(self, stop_reason: str | None) -> bool:
        """Say whether an answer that stopped so is whole: not a tool call in progress, not a refusal."""
        ...
