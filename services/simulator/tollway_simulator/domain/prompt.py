"""What all dialects mean by a request; made by the dialects in `entrypoints`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Tool(msgspec.Struct, frozen=True):
    """A function that the model may call."""

    name: str
    schema: dict[str, Any]


class Segment(msgspec.Struct, frozen=True):
    """A piece of the prompt that a prompt cache can end at; `ttl`, 5m or 1h, where the caller asks it to be kept."""

    content: bytes
    text_bytes: int
    ttl: str = ""


class Prompt(msgspec.Struct, frozen=True):
    """One request, without its dialect."""

    model: str
    text: str
    """The last user text, directives included."""
    text_bytes: int
    """UTF-8 bytes of all text in system, messages and tools."""
    stream: bool = False
    include_usage: bool = True
    max_tokens: int | None = None
    tool_result: str | None = None
    """Text of the tool results that the conversation ends with; None where it ends otherwise."""
    prefill: str | None = None
    """The assistant's words that the conversation ends with, which the answer goes on from."""
    tools: tuple[Tool, ...] = ()
    """The tools that may be called; empty where the caller forbids them."""
    must_call: bool = False
    forced_tool: str = ""
    """The tool to call; empty means the first."""
    thinking: Literal["", "shown", "hidden"] = ""
    """Whether the caller asks for thinking, and whether its text is to be seen."""
    stop_sequences: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None
    """What the text of the answer has to be JSON of."""
    choices: int = 1
    """How many answers are wanted."""
    segments: tuple[Segment, ...] = ()
    """The whole prompt in the order of caching; empty where the caller asks for none."""
    binding: str = ""
    """For whom the signatures of thinking hold; empty means for all."""
    request: Any = None
    """The dialect's own reading of the request, for what it has to say again in the answer."""
