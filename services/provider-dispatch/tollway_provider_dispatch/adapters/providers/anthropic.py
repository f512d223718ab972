"""Anthropic's own API."""

from __future__ import annotations

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

ANTHROPIC = ProviderKind(
    name="anthropic",
    base_url="https://api.anthropic.com",
    paths={
        Dialect.ANTHROPIC_MESSAGES: "/v1/messages",
        Dialect.ANTHROPIC_COUNT_TOKENS: "/v1/messages/count_tokens",
    },
    authorise=lambda key: [("x-api-key", key)],
)
