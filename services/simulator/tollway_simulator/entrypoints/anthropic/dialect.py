"""Anthropic's `POST /v1/messages`; built by `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.anthropic.answers import whole_message
from tollway_simulator.entrypoints.anthropic.provider import error_object
from tollway_simulator.entrypoints.anthropic.streams import PING, event, render_stream
from tollway_simulator.entrypoints.anthropic.validation import checked_prompt
from tollway_simulator.entrypoints.bodies import unknown_fields

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.connection.exchange import Exchange
    from tollway_simulator.entrypoints.dialect import Stream

FIELDS = frozenset(
    [
        *("model", "messages", "max_tokens", "system", "stream", "tools", "tool_choice", "thinking", "output_config"),
        *("stop_sequences", "cache_control", "metadata", "service_tier", "speed", "temperature", "top_p", "top_k"),
        *("container", "diagnostics", "inference_geo", "user_profile_id", "workspace_id", "billing_policy"),
        *("compaction", "context_management", "fallbacks", "fallback_credit_token", "mcp_servers", "output_format"),
        "thread",
    ]
)


class Messages:
    """Implements `Dialect`."""

    keep_alive = PING
    garbage = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n'

    def read_prompt(self, exchange: Exchange, body: bytes) -> Prompt:
        return checked_prompt(exchange, body, is_generated=True)

    def check_strictly(self, body: bytes) -> None:
        for name in unknown_fields(body, FIELDS):
            raise Refusal(400, f"{name}: Extra inputs are not permitted", name)

    def render_json(self, prompt: Prompt, answer: Answer, request_id: str) -> bytes:
        return msgspec.json.encode(whole_message(prompt, answer, request_id))

    def render_stream(self, prompt: Prompt, answer: Answer, request_id: str, *, is_padded: bool) -> Stream:
        return render_stream(prompt, answer, request_id)

    def render_failure(self, prompt: Prompt, refusal: Refusal, request_id: str, sent_events: int) -> bytes:
        return event(b"error", {"type": "error", "error": error_object(refusal), "request_id": request_id})
