"""Errors of HuggingFace's router: objects, bare strings or plain text, as whoever failed in it wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.entrypoints.connection.exchange import TEXT
from tollway_simulator.entrypoints.dialect import ErrorAnswer
from tollway_simulator.entrypoints.keys import key_in
from tollway_simulator.entrypoints.openai import provider as openai

if TYPE_CHECKING:
    from tollway_simulator.domain.faces import Face
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.connection.exchange import Exchange

# the router's own refusals are strings
STRINGS = {
    401: "Invalid username or password.",
    402: "You have exceeded your monthly included credits for Inference Providers.",
    429: "Too Many Requests",
}


class HuggingFace:
    """Implements `Provider`."""

    name: Face = "huggingface"
    shape = "openai"
    default_failure = 503

    def read_key(self, exchange: Exchange) -> bytes:
        return key_in(exchange)

    def check_headers(self, exchange: Exchange) -> None:
        """Nothing but the key is demanded."""

    def head_lines(self, request_id: str, received_at: float, remaining: int | None = None) -> bytes:
        return b""

    def render_error(self, refusal: Refusal, request_id: str) -> ErrorAnswer:
        status = refusal.status
        if status >= 500:
            return ErrorAnswer(status, refusal.message.encode("utf-8", "surrogatepass"), TEXT)
        error: Any = STRINGS.get(status) or openai.error_object(refusal)
        return ErrorAnswer(status, msgspec.json.encode({"error": error}))
