"""Anthropic's token counting: takes what Messages takes, answers with a number, costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect, Wire
from tollway_dialects.errors import GatewayErrorKind, anthropic_error_body
from tollway_dialects.usage import Usage

if TYPE_CHECKING:
    from tollway_dialects.request import RequestBody


class AnthropicCountTokensWire(Wire):
    """A `Wire`."""

    dialect = Dialect.ANTHROPIC_COUNT_TOKENS
    path = "/v1/messages/count_tokens"
    streams = False
    is_free = True
    output_limits = ()
    not_shaping = frozenset()

    def is_cacheable(self, body: RequestBody) -> bool:
        return False  # it is free, and a provider may count otherwise tomorrow

    def read_usage(self, body: bytes) -> tuple[Usage | None, str | None]:
        return Usage(), None

    def error_body(self, kind: GatewayErrorKind, message: str, request_id: str) -> bytes:
        return anthropic_error_body(kind, message, request_id)

    def is_storable(self, stop_reason: str | None) -> bool:
        return False
