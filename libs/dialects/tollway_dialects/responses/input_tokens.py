"""OpenAI's count of input tokens: takes what Responses takes, answers with a number, costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect, Wire
from tollway_dialects.errors import GatewayErrorKind, openai_error_body
from tollway_dialects.usage import Usage

if TYPE_CHECKING:
    from tollway_dialects.request import RequestBody


class OpenAIInputTokensWire(Wire):
    """A `Wire`."""

    dialect = Dialect.OPENAI_INPUT_TOKENS
    path = "/v1/responses/input_tokens"
    streams = False
    is_free = True
    output_limits = ()
    not_shaping = frozenset()

    def is_cacheable(self, body: RequestBody) -> bool:
        return False  # it is free, and a provider may count otherwise tomorrow

    def kept_answer_named(self, body: RequestBody) -> str:
        return body.get("previous_response_id", str) or ""

    def read_usage(self, body: bytes) -> tuple[Usage | None, str | None]:
        return Usage(), None

    def error_body(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        return openai_error_body(kind, message)

    def is_storable(self, stop_reason: str | None) -> bool:
        return False
