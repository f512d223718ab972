"""An answer as the events of OpenAI's response stream; used by `dialect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.entrypoints.dialect import Stream
from tollway_simulator.entrypoints.openai_responses.answers import (
    INCOMPLETE,
    empty_response,
    items_of,
    likelihoods,
    started_item,
    text_part,
    whole_item,
    whole_response,
)

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Block
    from tollway_simulator.domain.prompt import Prompt

PADDING = "simulator"


def event(kind: str, sequence: int, **data: Any) -> bytes:
    written = msgspec.json.encode({"type": kind, "sequence_number": sequence, **data})
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), written)


def render_stream(prompt: Prompt, answer: Answer, request_id: str, *, is_padded: bool) -> Stream:
    options = prompt.request.stream_options
    wanted = options.include_obfuscation if options else None
    writer = _Writer(is_padded=bool(wanted) or (is_padded and wanted is None))
    begun = empty_response(prompt, request_id)
    writer.add("response.created", response=begun)
    writer.add("response.in_progress", response=begun)
    for index, block in enumerate(items_of(answer)):
        _write_item(writer, prompt, answer, block, index, request_id)
    last = "response.incomplete" if answer.stop in INCOMPLETE else "response.completed"
    writer.add(last, response=whole_response(prompt, answer, request_id))
    return writer.stream()


class _Writer:
    """Numbers the events, and keeps those that carry a piece of the answer apart."""

    def __init__(self, *, is_padded: bool) -> None:
        self._padding = {"obfuscation": PADDING} if is_padded else {}
        self._sequence = 0
        self._parts: list[bytes] = []
        self._rest = b""

    def add(self, kind: str, **data: Any) -> None:
        self._rest += event(kind, self._sequence, **data)
        self._sequence += 1

    def add_piece(self, kind: str, **data: Any) -> None:
        """Add a delta; what was added since the last one leaves together with it."""
        if not self._parts:
            self._parts, self._rest = [self._rest], b""
        self.add(kind, **data, **self._padding)
        self._parts.append(self._rest)
        self._rest = b""

    def stream(self) -> Stream:
        if not self._parts:
            return Stream(self._rest, [], b"")
        return Stream(self._parts[0], self._parts[1:], self._rest)


def _write_item(writer: _Writer, prompt: Prompt, answer: Answer, block: Block, index: int, request_id: str) -> None:
    started = started_item(prompt, block, index, request_id)
    place = {"item_id": started["id"], "output_index": index}
    writer.add("response.output_item.added", output_index=index, item=started)
    match block.kind:
        case "thinking":
            _write_summary(writer, block, place)
        case "tool":
            for piece in block.pieces:
                writer.add_piece("response.function_call_arguments.delta", **place, delta=piece)
            name = started["name"]
            writer.add("response.function_call_arguments.done", **place, name=name, arguments=block.text)
        case _:
            _write_text(writer, prompt, answer, block, place)
    item = whole_item(prompt, answer, block, index, request_id)
    writer.add("response.output_item.done", output_index=index, item=item)


def _write_summary(writer: _Writer, block: Block, place: dict[str, Any]) -> None:
    if not block.pieces:
        return
    place = {**place, "summary_index": 0}
    writer.add("response.reasoning_summary_part.added", **place, part={"type": "summary_text", "text": ""})
    for piece in block.pieces:
        writer.add_piece("response.reasoning_summary_text.delta", **place, delta=piece)
    writer.add("response.reasoning_summary_text.done", **place, text=block.text)
    writer.add("response.reasoning_summary_part.done", **place, part={"type": "summary_text", "text": block.text})


def _write_text(writer: _Writer, prompt: Prompt, answer: Answer, block: Block, place: dict[str, Any]) -> None:
    place = {**place, "content_index": 0}
    part = text_part(prompt, answer, block)
    is_refusal = part["type"] == "refusal"
    nothing = {"refusal": ""} if is_refusal else {"text": "", "logprobs": []}
    writer.add("response.content_part.added", **place, part=part | nothing)
    for piece in block.pieces:
        if is_refusal:
            writer.add_piece("response.refusal.delta", **place, delta=piece)
        else:
            likely = likelihoods(prompt, (piece,))
            writer.add_piece("response.output_text.delta", **place, delta=piece, logprobs=likely)
    if is_refusal:
        writer.add("response.refusal.done", **place, refusal=block.text)
    else:
        writer.add("response.output_text.done", **place, text=block.text, logprobs=part["logprobs"])
    writer.add("response.content_part.done", **place, part=part)
