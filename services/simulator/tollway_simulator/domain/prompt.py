"""What both dialects mean by a request; made by `entrypoints/messages.py` and `entrypoints/chat.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call."""

    name: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
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
    tools: tuple[Tool, ...] = ()
    """The tools that may be called; empty where the caller forbids them."""
    must_call: bool = False
    forced_tool: str = ""
    """The tool to call; empty means the first."""
