"""Decides what a request is answered: thinking, words or tool calls, why it stops, what usage is reported."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import msgspec

from tollway_simulator.domain.paraphrases import sampled_words
from tollway_simulator.domain.prompt import Tool
from tollway_simulator.domain.prompt_cache import NO_CACHE, CacheUse
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.samples import arguments_for, sample
from tollway_simulator.domain.script import DEFAULT_THINKING_WORDS, NO_SCRIPT, Script, read_script
from tollway_simulator.domain.tokens import input_tokens
from tollway_simulator.domain.words import AWKWARD_WORDS, WORDS

if TYPE_CHECKING:
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.script_queue import Arrival, ScriptQueue

DEFAULT_WORDS = 12
PIECE_CHARACTERS = 4

Reason = Literal["end", "limit", "tool", "sequence", "refusal", "filter", "pause", "window"]
STOPS: dict[str, Reason] = {
    "refusal": "refusal",
    "content_filter": "filter",
    "pause_turn": "pause",
    "model_context_window_exceeded": "window",
}

_WORD = re.compile(r"\s*\S+")


class Usage(msgspec.Struct, frozen=True):
    """Tokens as all dialects report them; `input` is uncached input only, `output` has thinking in it."""

    input: int
    output: int
    cache: CacheUse = NO_CACHE
    thinking: int = 0


class Block(msgspec.Struct, frozen=True):
    """A part of an answer; each piece is one delta of a stream and one output token."""

    kind: Literal["text", "thinking", "redacted", "tool"]
    pieces: tuple[str, ...] = ()
    tool: Tool | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Answer(msgspec.Struct, frozen=True):
    """A whole answer."""

    blocks: tuple[Block, ...]
    usage: Usage
    stop: Reason
    stop_sequence: str | None = None

    @property
    def words(self) -> int:
        return sum([len(block.pieces) for block in self.blocks])


def choose_script(prompt_text: str, arrival: Arrival, queue: ScriptQueue) -> tuple[Script, str]:
    """Return the script of a request (a posted one wins over the prompt's own) and its text without directives."""
    script, text = read_script(prompt_text)
    order = queue.take(arrival)
    return (script if order is None else script.overridden_by(order)), text


def make_answer(prompt: Prompt, script: Script, text: str, cache: CacheUse = NO_CACHE, candidate: str = "") -> Answer:
    """
    Return the answer to a prompt, in the candidate's own wording where the script wants it sampled.

    Raises:
        Refusal: A tool is forced that the request does not have.
    """
    thinking, hidden = _thinking(prompt, script)
    tools = _tools_to_call(prompt, script)
    if tools:
        blocks = (*thinking, *map(_call, tools))
        return Answer(blocks, _usage(prompt, script, cache, blocks, hidden), "tool")
    said = _words(prompt, script, text, candidate)
    words, stop, sequence = _until_stop(prompt, _continued(said, prompt.prefill) if prompt.prefill else said)
    blocks = (*thinking, Block("text", words))
    if prompt.max_tokens is not None and prompt.max_tokens < hidden + sum([len(block.pieces) for block in blocks]):
        blocks, hidden = _truncated(blocks, hidden, prompt.max_tokens)
        stop, sequence = "limit", None
    if script.stop is not None:
        stop = STOPS[script.stop]
    return Answer(blocks, _usage(prompt, script, cache, blocks, hidden), stop, sequence)


def _thinking(prompt: Prompt, script: Script) -> tuple[tuple[Block, ...], int]:
    """Return the thinking blocks, and how many words were thought but are not shown."""
    redacted = (Block("redacted"),) if script.redacted else ()
    if not prompt.thinking and script.think is None:
        return redacted, 0
    count = DEFAULT_THINKING_WORDS if script.think is None else script.think
    if prompt.thinking == "hidden":
        return (Block("thinking"), *redacted), count
    return (Block("thinking", sentence(count)), *redacted), 0


def _tools_to_call(prompt: Prompt, script: Script) -> tuple[Tool, ...]:
    asked = script.tool or script.tools is not None or prompt.must_call
    if not asked or not prompt.tools or prompt.tool_result is not None:
        return ()
    tools = prompt.tools
    if prompt.forced_tool:
        tools = tuple(tool for tool in tools if tool.name == prompt.forced_tool)
        if not tools:
            raise Refusal(400, "tool_choice names a tool that is not in tools", "tool_choice")
    count = script.tools or 1
    return tuple(tools[i % len(tools)] for i in range(count))


def _call(tool: Tool) -> Block:
    return Block("tool", _pieces(arguments_for(tool.schema)), tool)


def _pieces(value: object) -> tuple[str, ...]:
    text = msgspec.json.encode(value).decode()
    return tuple(text[i : i + PIECE_CHARACTERS] for i in range(0, len(text), PIECE_CHARACTERS))


def _words(prompt: Prompt, script: Script, text: str, candidate: str) -> tuple[str, ...]:
    if prompt.tool_result is not None:
        return tuple(_WORD.findall(f"the tool says: {prompt.tool_result}"))
    if script.echo and (echoed := _WORD.findall(text)):
        return tuple(echoed)
    if prompt.schema is not None:
        return _pieces(sample(prompt.schema))
    if candidate:
        return sampled_words(script.words or DEFAULT_WORDS, candidate, prompt.prefill or "")
    words = sentence(script.words or DEFAULT_WORDS, AWKWARD_WORDS if script.unicode else WORDS)
    return words if script.huge is None else ("x" * script.huge, *words[1:])


def _continued(pieces: tuple[str, ...], prefill: str) -> tuple[str, ...]:
    """Return what is left to say after the prefill; all of it where that is none of the answer's own beginnings."""
    text = "".join(pieces)
    if prefill.startswith(text):
        return ()
    if text.startswith(prefill):
        return tuple(_WORD.findall(text[len(prefill) :]))
    if not pieces or prefill[-1].isspace():
        return pieces
    return (f" {pieces[0]}", *pieces[1:])


@lru_cache(maxsize=64)
def sentence(count: int, words: tuple[str, ...] = WORDS) -> tuple[str, ...]:
    return tuple(words[i % len(words)] if i == 0 else f" {words[i % len(words)]}" for i in range(count))


def _until_stop(prompt: Prompt, words: tuple[str, ...]) -> tuple[tuple[str, ...], Reason, str | None]:
    if not prompt.stop_sequences:
        return words, "end", None
    text = "".join(words)
    at, sequence = min(((text.find(one), one) for one in prompt.stop_sequences if one in text), default=(-1, None))
    if sequence is None:
        return words, "end", None
    return tuple(_WORD.findall(text[:at])), "sequence", sequence


def _truncated(blocks: tuple[Block, ...], hidden: int, limit: int) -> tuple[tuple[Block, ...], int]:
    left = max(0, limit - hidden)
    kept = []
    for block in blocks:
        pieces = block.pieces[:left]
        if pieces or block.kind != "text":
            kept.append(Block(block.kind, pieces))
        left -= len(pieces)
    return tuple(kept), min(hidden, limit)


def _usage(prompt: Prompt, script: Script, cache: CacheUse, blocks: tuple[Block, ...], hidden: int) -> Usage:
    counted = max(0, input_tokens(prompt.text_bytes) - cache.read - cache.write)
    thinking = hidden
    output = 0
    for block in blocks:
        output += len(block.pieces)
        if block.kind == "thinking":
            thinking += len(block.pieces)
    output = (output + hidden) * prompt.choices
    if script is NO_SCRIPT or (given := script.usage) is None:
        return Usage(counted, output, cache, thinking)
    return Usage(
        counted if given.input is None else given.input,
        output if given.output is None else given.output,
        CacheUse(given.read or 0, given.write or 0),
        thinking,
    )
