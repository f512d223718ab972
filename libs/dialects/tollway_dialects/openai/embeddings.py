"""OpenAI embeddings: input without output, always whole."""

from __future__ import annotations

import msgspec

from tollway_dialects.dialect import Dialect, Wire
from tollway_dialects.errors import GatewayErrorKind, openai_error_body
from tollway_dialects.usage import Usage

# what stands for a stop reason of answers that have none
_WHOLE = "list"


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None


class _Answer(msgspec.Struct):
    object: str | None = None
    usage: _Usage | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


class OpenAIEmbeddingsWire(Wire):
    """A `Wire`."""

    dialect = Dialect.OPENAI_EMBEDDINGS
    path = "/v1/embeddings"
    streams = False
    output_limits = ()
    not_shaping = frozenset({"user"})

    def read_usage(self, body: bytes) -> tuple[Usage | None, str | None]:
        try:
            answer = _ANSWER.decode(body)
        except (ValueError, RecursionError):
            return None, None
        used = answer.usage
        return (Usage(uncached_input=used.prompt_tokens or 0) if used else None), answer.object

    def error_body(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        return openai_error_body(kind, message)

    def is_storable(self, stop_reason: str | None) -> bool:
        return stop_reason == _WHOLE
