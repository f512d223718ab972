"""OpenRouter, which passes calls on to others. Its base URL includes /v1."""

from __future__ import annotations

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

OPENROUTER = ProviderKind(
    name="openrouter",
    base_url="https://openrouter.ai/api/v1",
    paths={
        Dialect.OPENAI_CHAT: "/chat/completions",
        Dialect.OPENAI_RESPONSES: "/responses",
        Dialect.ANTHROPIC_MESSAGES: "/messages",
    },
    authorise=lambda key: [("authorization", f"Bearer {key}")],
)
