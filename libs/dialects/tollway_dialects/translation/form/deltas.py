"""An answer as it comes, piece by piece; decoders of upstream streams make these and encoders for clients take them."""

from __future__ import annotations

from enum import Enum, auto

import msgspec

from tollway_dialects.translation.form.faults import Fault
from tollway_dialects.translation.form.parts import Json, Refusal, Text, Thought, ToolCall
from tollway_dialects.usage import Usage

Opening = Text | Refusal | Thought | ToolCall


class Stop(Enum):
    """Why an answer ended."""

    END = auto()
    TOOL_USE = auto()
    MAX_TOKENS = auto()
    CONTEXT = auto()
    SEQUENCE = auto()
    REFUSAL = auto()
    PAUSE = auto()


class Started(msgspec.Struct, frozen=True):
    """The answer begins."""

    id: str
    model: str


class PartStarted(msgspec.Struct, frozen=True):
    """A part begins; what it holds already counts."""

    key: str
    part: Opening


class Grew(msgspec.Struct, frozen=True):
    """More of a part: of its text, of a call's arguments."""

    key: str
    text: str


class Signed(msgspec.Struct, frozen=True):
    """A thought's signature, whole."""

    key: str
    signature: str


class Cited(msgspec.Struct, frozen=True):
    """A source of a text."""

    key: str
    citation: Json


class PartEnded(msgspec.Struct, frozen=True):
    """Nothing of this part follows."""

    key: str


class UsageTold(msgspec.Struct, frozen=True):
    """What was used so far, cumulative; `is_final` where the output counts too."""

    usage: Usage
    is_final: bool


class Stopped(msgspec.Struct, frozen=True):
    """The provider told why it ended; usage may follow."""

    stop: Stop
    sequence: str | None = None
    details: Json | None = None


class Finished(msgspec.Struct, frozen=True):
    """The dialect's final event."""


class Failed(msgspec.Struct, frozen=True):
    """The provider broke its answer off."""

    fault: Fault


class Lost(msgspec.Struct, frozen=True):
    """A part of the answer that no other dialect has."""

    name: str


Delta = Started | PartStarted | Grew | Signed | Cited | PartEnded | UsageTold | Stopped | Finished | Failed | Lost
