"""Anthropic's `POST /v1/messages/count_tokens`; built by `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.domain.tokens import input_tokens
from tollway_simulator.entrypoints.anthropic.validation import checked_prompt
from tollway_simulator.entrypoints.dialect import Reply

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.connection.exchange import Exchange


class CountTokens:
    """Counts as a message of the same body would be counted; implements `Endpoint`."""

    def reply(self, exchange: Exchange, body: bytes) -> Reply:
        prompt = checked_prompt(exchange, body, is_generated=False)
        tokens = input_tokens(prompt.text_bytes)
        return Reply(msgspec.json.encode({"input_tokens": tokens}), prompt.text, prompt.model, tokens)
