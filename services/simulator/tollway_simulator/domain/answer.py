"""Decides what a request is answered: which words or which tool call, why it stops, what usage is reported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import msgspec

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.script import NO_SCRIPT, Script, read_script
from tollway_simulator.domain.tokens import input_tokens
from tollway_simulator.domain.tools import arguments_for

if TYPE_CHECKING:
    from tollway_simulator.domain.prompt import Prompt, Tool
    from tollway_simulator.domain.script_queue import ScriptQueue

DEFAULT_WORDS = 12
PIECE_CHARACTERS = 4
# three letters and a space are four bytes: one token for whoever estimates tokens as bytes / 4
WORDS = ("the", "sun", "was", "low", "and", "all", "our", "old", "men", "sat", "and", "ate", "for", "the", "day")

_WORD = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as both dialects report them; `input` is uncached input only."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; each piece is one delta of a stream and one output token."""

    pieces: tuple[str, ...]
    usage: Usage
    stop: Literal["end", "limit", "tool"]
    tool: Tool | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def choose_script(prompt: Prompt, path: str, queue: ScriptQueue) -> tuple[Script, str]:
    """Return the script of a request (a posted one wins over the prompt's own) and its text without directives."""
    script, text = read_script(prompt.text)
    order = queue.take(path)
    return (script if order is None else script.overridden_by(order)), text


def make_answer(prompt: Prompt, script: Script, text: str) -> Answer:
    """
    Return the answer to a prompt.

    Raises:
        Refusal: A tool is forced that the request does not have.
    """
    tool = _tool_to_call(prompt, script)
    if tool is not None:
        arguments = msgspec.json.encode(arguments_for(tool.schema)).decode()
        pieces = tuple(arguments[i : i + PIECE_CHARACTERS] for i in range(0, len(arguments), PIECE_CHARACTERS))
        return Answer(pieces, _usage(prompt, script, len(pieces)), "tool", tool)
    pieces = _words(prompt, script, text)
    if prompt.max_tokens is not None and prompt.max_tokens < len(pieces):
        pieces = pieces[: prompt.max_tokens]
        return Answer(pieces, _usage(prompt, script, len(pieces)), "limit")
    return Answer(pieces, _usage(prompt, script, len(pieces)), "end")


def _tool_to_call(prompt: Prompt, script: Script) -> Tool | None:
    if not prompt.tools or prompt.tool_result is not None or not (script.tool or prompt.must_call):
        return None
    if not prompt.forced_tool:
        return prompt.tools[0]
    for tool in prompt.tools:
        if tool.name == prompt.forced_tool:
            return tool
    raise Refusal(400, "tool_choice names a tool that is not in tools", "tool_choice")


def _words(prompt: Prompt, script: Script, text: str) -> tuple[str, ...]:
    if prompt.tool_result is not None:
        return tuple(_WORD.findall(f"the tool says: {prompt.tool_result}"))
    if script.echo and (echoed := _WORD.findall(text)):
        return tuple(echoed)
    return _sentence(script.words or DEFAULT_WORDS)


@lru_cache(maxsize=64)
def _sentence(count: int) -> tuple[str, ...]:
    return tuple(WORDS[i % len(WORDS)] if i == 0 else f" {WORDS[i % len(WORDS)]}" for i in range(count))


def _usage(prompt: Prompt, script: Script, output: int) -> Usage:
    counted = input_tokens(prompt.text_bytes)
    if script is NO_SCRIPT or (given := script.usage) is None:
        return Usage(counted, output)
    return Usage(
        counted if given.input is None else given.input,
        output if given.output is None else given.output,
        given.read or 0,
        given.write or 0,
    )
