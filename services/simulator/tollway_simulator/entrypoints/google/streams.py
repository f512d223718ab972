"""An answer as the chunks of Gemini's stream, in events or in one JSON array; used by `dialect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.answer import Usage
from tollway_simulator.entrypoints.connection.exchange import EVENTS, JSON
from tollway_simulator.entrypoints.dialect import Stream
from tollway_simulator.entrypoints.google.answers import (
    BLOCKED,
    FINISH_REASONS,
    candidate,
    envelope,
    part_of,
    signature_of,
    usage_metadata,
)

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer
    from tollway_simulator.domain.prompt import Prompt


def render_stream(prompt: Prompt, answer: Answer, request_id: str, *, is_array: bool) -> Stream:
    """Return a chunk for each piece of text and thinking and for each whole call, and the end."""
    around = envelope(prompt, request_id)
    usage = usage_metadata(answer.usage)
    if answer.stop == "refusal":
        chunks, last = [], {"promptFeedback": BLOCKED, "usageMetadata": usage, **around}
    else:
        chunks = _chunks(prompt, answer, around)
        ending: dict[str, Any] = {"text": ""}
        if answer.stop != "tool" and (signature := signature_of(prompt, answer)):
            ending["thoughtSignature"] = signature
        candidates = [candidate(index, [ending], FINISH_REASONS[answer.stop]) for index in range(prompt.choices)]
        last = {"candidates": candidates, "usageMetadata": usage, **around}
    encoded = list(map(msgspec.json.encode, chunks))
    if is_array:
        return Stream(b"[", [one + b",\r\n" for one in encoded], msgspec.json.encode(last) + b"\n]", JSON)
    return Stream(b"", list(map(event, encoded)), event(msgspec.json.encode(last)), EVENTS)


def event(data: bytes) -> bytes:
    return b"data: %b\r\n\r\n" % data


def _parts(prompt: Prompt, answer: Answer) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for index, block in enumerate(answer.blocks):
        if block.kind == "tool":
            parts.append(part_of(prompt, answer, block, index))
        elif block.kind in ("text", "thinking"):
            thought = {"thought": True} if block.kind == "thinking" else {}
            parts += [{"text": piece, **thought} for piece in block.pieces]
    return parts


def _chunks(prompt: Prompt, answer: Answer, around: dict[str, Any]) -> list[dict[str, Any]]:
    """Return chunks whose usage grows, as a caller counts it who never sees the last one."""
    chunks = []
    told = Usage(answer.usage.input, 0, answer.usage.cache)
    for part in _parts(prompt, answer):
        told = Usage(told.input, told.output + 1, told.cache, told.thinking + ("thought" in part))
        candidates = [candidate(index, [part]) for index in range(prompt.choices)]
        chunks.append({"candidates": candidates, "usageMetadata": usage_metadata(told), **around})
    return chunks
