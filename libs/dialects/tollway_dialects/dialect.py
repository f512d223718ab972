"""The dialects that clients speak, and what every one of them can do."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tollway_dialects.errors import GatewayErrorKind
    from tollway_dialects.usage import Usage


class Dialect(StrEnum):
    """A wire shape in which clients ask and are answered."""

    ANTHROPIC_MESSAGES = "anthropic"
    OPENAI_CHAT = "openai"


class StreamReader(Protocol):
    """Reads one answer's event stream as it passes, without holding it up."""

    is_complete: bool
    """The dialect's final event was seen."""
    error: str | None
    """Type of the error event that was seen, if any."""
    stop_reason: str | None

    @property
    def usage(self) -> Usage:
        """Cumulative; `is_estimated` until the provider told the final count."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes cut anywhere; return whole events, so that an error event can follow wherever it breaks off."""


class Wire(Protocol):
    """One dialect: how its answers are read, replayed and refused."""

    dialect: Dialect
    path: str
    """Where clients and providers of this dialect take requests."""
    always_streams_usage: bool
    """Every stream tells its usage, so one that was kept serves every client as it is."""

    def read_usage(self, body: bytes) -> tuple[Usage | None, str | None]:
        """Return usage and stop reason of a whole JSON answer; None where it does not tell."""

    def stream_reader(self, input_estimate: int, *, strip_usage: bool) -> StreamReader:
        """Return a reader; `input_estimate` stands in until the provider tells its input count."""

    def to_events(self, body: bytes, *, with_usage: bool) -> bytes:
        """Return a whole JSON answer as the event stream that would have said the same."""

    def from_events(self, events: bytes, usage: Usage) -> bytes:
        """
        Return a complete event stream as the JSON answer that would have said the same.

        Raises:
            LookupError, TypeError, ValueError: It cannot be put together.
        """

    def error_body(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        """Return an error answer that raises the right class in this dialect's SDKs."""

    def error_event(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        """Return the event that ends a stream which cannot be completed."""

    def is_storable(self, stop_reason: str | None) -> bool:
        """Say whether an answer that stopped so is whole: not a tool call in progress, not a refusal."""
