"""What decoders of upstream streams and encoders for clients are to `AnswerTranslator`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_dialects.translation.form.deltas import Delta, Stop
    from tollway_dialects.translation.form.faults import Fault
    from tollway_dialects.translation.form.parts import Json
    from tollway_dialects.translation.wire.in_order import PartDelta
    from tollway_dialects.usage import Usage


class AnswerContext(msgspec.Struct, frozen=True):
    """What an answer says that no provider told."""

    model: str
    """Stands in where the provider names none."""
    input_estimate: int
    """Tokens of input, until the provider tells them."""
    created: int
    """When it began, in Unix seconds."""
    request_id: str = ""
    streams_usage: bool = True
    """A chat client asked for the usage chunk."""
    request: bytes = b"{}"
    """The client's request, of which a response object repeats some fields."""


class Ending(msgspec.Struct, frozen=True):
    """Why an answer ended, as the provider told."""

    stop: Stop
    sequence: str | None = None
    details: Json | None = None


class Decoder(Protocol):
    """Reads one upstream's events; raises `MalformedAnswer`, `LookupError`, `TypeError` or `ValueError` at odd ones."""

    def read(self, event: Json) -> Iterator[Delta]:
        """Take one event."""

    def done(self) -> Iterator[Delta]:
        """Take `[DONE]`."""


class Encoder(Protocol):
    """Writes one client's events; parts come one after the other."""

    def start(self, identifier: str, model: str, usage: Usage) -> bytes:
        """Begin; `usage` has the input at least as an estimate."""

    def part(self, delta: PartDelta) -> bytes:
        """Write more of the part that is open."""

    def end(self, ending: Ending, usage: Usage) -> bytes:
        """Write the final event."""

    def fail(self, fault: Fault) -> bytes:
        """Write the error event that stands for the rest."""
