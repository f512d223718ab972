"""A request, whichever dialect it came in; readers make it, `models` adapts it, writers take it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tollway_dialects.translation.form.parts import Json, Part, Text


class Role(StrEnum):
    """Whose turn it is."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Turn(msgspec.Struct, frozen=True):
    """What one side says before the other does; tool results are the user's."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    phase: str | None = None


class Tool(msgspec.Struct, frozen=True):
    """A tool of the client's."""

    name: str
    schema: Json
    description: str | None = None
    strict: bool | None = None
    cache: Json | None = None


class ToolChoice(msgspec.Struct, frozen=True):
    """Whether tools may (`auto`), must (`required`), must not (`none`) be called, or which one must (`named`)."""

    mode: str
    name: str = ""
    allowed: tuple[str, ...] | None = None

    @property
    def is_forced(self) -> bool:
        return self.mode in ("required", "named")


class Thinking(msgspec.Struct, frozen=True):
    """Whether and how deeply to think; None is the model's own habit."""

    mode: str | None = None
    """`on`, `off`, or `between_tools`."""
    budget: int | None = None
    effort: str | None = None
    shown: str | None = None
    """How much of it the answer shows: `none`, `summarized`, or a word of the dialect's own."""


class Format(msgspec.Struct, frozen=True):
    """A shape that the answer must have: any JSON object where there is no schema."""

    schema: Json | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class Sampling(msgspec.Struct, frozen=True):
    """How tokens are drawn."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: Json | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class Request(msgspec.Struct, frozen=True):
    """All that a client asks for."""

    model: str
    turns: tuple[Turn, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel: bool | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    sampling: Sampling = Sampling()
    thinking: Thinking = Thinking()
    format: Format | None = None
    choices: int | None = None
    end_user: str | None = None
    cache: Json | None = None
    """Anthropic's mark for the whole request."""
    shared: Json = {}
    """What chat and Responses say word for word alike."""
    is_stream: bool = False
    streams_usage: bool = True
    wants_encrypted: bool = False
    """The client keeps reasoning itself, encrypted."""
