"""An answer as the chunks of OpenAI's stream; used by `dialect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.entrypoints.bodies import pieces_as_json
from tollway_simulator.entrypoints.dialect import Stream
from tollway_simulator.entrypoints.openai.logprobs import logprobs_of
from tollway_simulator.entrypoints.openai_chat.answers import FINISH_REASONS, call_object, envelope, usage_object

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Block
    from tollway_simulator.domain.prompt import Prompt

_ROLE = b'{"role":"assistant","content":"","refusal":null}'
_CHOICE = b'{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}'


def render_stream(prompt: Prompt, answer: Answer, request_id: str, *, is_padded: bool) -> Stream:
    chunks = _Chunks(prompt, request_id, is_padded=is_padded)
    finish = b'"%b"' % FINISH_REASONS[answer.stop].encode()
    if answer.stop == "tool":
        head, deltas = _calls(chunks, answer, request_id)
    else:
        head, deltas = _text(chunks, prompt, answer)
    tail = b"".join([chunks.chunk(index, b"{}", finish) for index in range(prompt.choices)])
    if prompt.include_usage:
        tail += chunks.before + b'],"usage":%b}\n\n' % msgspec.json.encode(usage_object(answer.usage))
    return Stream(head, deltas, tail + b"data: [DONE]\n\n")


class _Chunks:
    """Writes the chunks of one stream."""

    def __init__(self, prompt: Prompt, request_id: str, *, is_padded: bool) -> None:
        written = msgspec.json.encode(envelope(prompt, request_id, "chat.completion.chunk"))[:-1]
        self.before = b'data: %b,"choices":[' % written
        options = prompt.request.stream_options
        wanted = options.include_obfuscation if options else None
        padding = b',"obfuscation":"simulator"' if wanted or (is_padded and wanted is None) else b""
        self._after = b"]%b%b}\n\n" % (b',"usage":null' if prompt.include_usage else b"", padding)

    def chunk(self, index: int, delta: bytes, finish: bytes = b"null", logprobs: bytes = b"null") -> bytes:
        return self.before + _CHOICE % (index, delta, logprobs, finish) + self._after

    def filled(self, before: bytes, pieces: tuple[str, ...], after: bytes) -> list[bytes]:
        """Return a chunk of the first choice for each piece, whose delta is the piece between the two."""
        head = self.before + b'{"index":0,"delta":' + before
        tail = after + b',"logprobs":null,"finish_reason":null}' + self._after
        return [head + piece + tail for piece in pieces_as_json(pieces)]


def _text(chunks: _Chunks, prompt: Prompt, answer: Answer) -> tuple[bytes, list[bytes]]:
    pieces = next((block.pieces for block in answer.blocks if block.kind == "text"), ())
    head = b"".join([chunks.chunk(index, _ROLE) for index in range(prompt.choices)])
    field = b'{"refusal":' if answer.stop == "refusal" else b'{"content":'
    if prompt.choices == 1 and not prompt.request.logprobs:
        return head, chunks.filled(field, pieces, b"}")
    top = prompt.request.top_logprobs or 0
    deltas = []
    for piece in pieces:
        written = field + msgspec.json.encode(piece) + b"}"
        likely = b"null"
        if prompt.request.logprobs:
            likely = msgspec.json.encode({"content": logprobs_of((piece,), top), "refusal": None})
        deltas += [chunks.chunk(index, written, logprobs=likely) for index in range(prompt.choices)]
    return head, deltas


def _calls(chunks: _Chunks, answer: Answer, request_id: str) -> tuple[bytes, list[bytes]]:
    calls: list[Block] = [block for block in answer.blocks if block.kind == "tool"]
    head = b""
    deltas: list[bytes] = []
    for index, call in enumerate(calls):
        first = {"index": index, **call_object(call, index, request_id, "")}
        if index == 0:
            head = chunks.chunk(0, msgspec.json.encode({"role": "assistant", "content": None, "tool_calls": [first]}))
        own = chunks.filled(b'{"tool_calls":[{"index":%d,"function":{"arguments":' % index, call.pieces, b"}}]}")
        if index:
            own[0] = chunks.chunk(0, msgspec.json.encode({"tool_calls": [first]})) + own[0]
        deltas += own
    return head, deltas
