"""An answer as the chunks of a chat completion's stream; used by `dialect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.entrypoints.bodies import pieces_as_json
from tollway_simulator.entrypoints.dialect import Stream
from tollway_simulator.entrypoints.openai.logprobs import logprobs_of
from tollway_simulator.entrypoints.openai_chat.answers import FINISH_REASONS, call_object, envelope

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Block
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.openai_chat.flavour import Flavour

_ROLE = b'{"role":"assistant","content":"","refusal":null}'
_ROLE_AGAIN = b'{"role":"assistant","content":""}'
_CHOICE = b'{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b%b}'


def render_stream(flavour: Flavour, prompt: Prompt, answer: Answer, request_id: str, *, is_padded: bool) -> Stream:
    """Return the head, a chunk for each piece of thinking, text and arguments, and the end."""
    chunks = _Chunks(flavour, prompt, request_id, is_padded=is_padded)
    opened = b"" if flavour.has_role_in_every_delta else chunks.opened()
    thought = _thought(chunks, flavour, answer) if flavour.reasoning else []
    if answer.stop == "tool":
        called, deltas = _calls(chunks, answer, request_id, is_first=not thought)
        if thought:
            deltas[0] = called + deltas[0]
        else:
            opened = called
    else:
        deltas = _text(chunks, prompt, answer)
    return Stream(flavour.opening + opened, [*thought, *deltas], _tail(chunks, flavour, prompt, answer))


def _tail(chunks: _Chunks, flavour: Flavour, prompt: Prompt, answer: Answer) -> bytes:
    finish = b'"%b"' % FINISH_REASONS[answer.stop].encode()
    last = _ROLE_AGAIN if flavour.has_role_in_every_delta else b"{}"
    tail = b"".join([chunks.chunk(index, last, finish) for index in range(prompt.choices)])
    if flavour.always_says_usage or prompt.include_usage:
        again = chunks.choice(0, last, finish) if flavour.always_says_usage else b""
        usage = msgspec.json.encode(flavour.usage_object(answer.usage))
        tail += chunks.before + again + b'],"usage":%b}\n\n' % usage
    return tail + b"data: [DONE]\n\n"


class _Chunks:
    """Writes the chunks of one stream."""

    def __init__(self, flavour: Flavour, prompt: Prompt, request_id: str, *, is_padded: bool) -> None:
        self._flavour = flavour
        self._choices = prompt.choices
        self.role = b'{"role":"assistant",' if flavour.has_role_in_every_delta else b"{"
        written = msgspec.json.encode(envelope(flavour, prompt, request_id, "chat.completion.chunk"))[:-1]
        self.before = b'data: %b,"choices":[' % written
        options = prompt.request.stream_options
        wanted = options.include_obfuscation if options else None
        padding = b',"obfuscation":"simulator"' if wanted or (is_padded and wanted is None) else b""
        says_null = prompt.include_usage and not flavour.always_says_usage
        self._after = b"]%b%b}\n\n" % (b',"usage":null' if says_null else b"", padding)

    def opened(self) -> bytes:
        return b"".join([self.chunk(index, _ROLE) for index in range(self._choices)])

    def chunk(self, index: int, delta: bytes, finish: bytes = b"null", logprobs: bytes = b"null") -> bytes:
        return self.before + self.choice(index, delta, finish, logprobs) + self._after

    def choice(self, index: int, delta: bytes, finish: bytes = b"null", logprobs: bytes = b"null") -> bytes:
        return _CHOICE % (index, delta, logprobs, finish, self._flavour.choice_extras(finish))

    def filled(self, before: bytes, pieces: tuple[str, ...], after: bytes) -> list[bytes]:
        """Return a chunk of the first choice for each piece, whose delta is the piece between the two."""
        head = self.before + b'{"index":0,"delta":' + self.role + before
        extras = self._flavour.choice_extras(b"null")
        tail = after + b'},"logprobs":null,"finish_reason":null%b}' % extras + self._after
        return [head + piece + tail for piece in pieces_as_json(pieces)]


def _thought(chunks: _Chunks, flavour: Flavour, answer: Answer) -> list[bytes]:
    pieces = tuple([piece for block in answer.blocks if block.kind == "thinking" for piece in block.pieces])
    return chunks.filled(b'"%b":' % flavour.reasoning.encode(), pieces, b"")


def _text(chunks: _Chunks, prompt: Prompt, answer: Answer) -> list[bytes]:
    pieces = next((block.pieces for block in answer.blocks if block.kind == "text"), ())
    field = b'"refusal":' if answer.stop == "refusal" else b'"content":'
    if prompt.choices == 1 and not prompt.request.logprobs:
        return chunks.filled(field, pieces, b"")
    top = prompt.request.top_logprobs or 0
    deltas = []
    for piece in pieces:
        written = chunks.role + field + msgspec.json.encode(piece) + b"}"
        likely = b"null"
        if prompt.request.logprobs:
            likely = msgspec.json.encode({"content": logprobs_of((piece,), top), "refusal": None})
        deltas += [chunks.chunk(index, written, logprobs=likely) for index in range(prompt.choices)]
    return deltas


def _calls(chunks: _Chunks, answer: Answer, request_id: str, *, is_first: bool) -> tuple[bytes, list[bytes]]:
    calls: list[Block] = [block for block in answer.blocks if block.kind == "tool"]
    head = b""
    deltas: list[bytes] = []
    for index, call in enumerate(calls):
        first = {"index": index, **call_object(call, index, request_id, "")}
        if index == 0:
            role = {"role": "assistant", "content": None} if is_first else {}
            head = chunks.chunk(0, msgspec.json.encode({**role, "tool_calls": [first]}))
        own = chunks.filled(b'"tool_calls":[{"index":%d,"function":{"arguments":' % index, call.pieces, b"}}]")
        if index:
            own[0] = chunks.chunk(0, msgspec.json.encode({"tool_calls": [first]})) + own[0]
        deltas += own
    return head, deltas
