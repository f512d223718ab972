"""DeepSeek's API, which speaks both dialects."""

from __future__ import annotations

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

DEEPSEEK = ProviderKind(
    name="deepseek",
    base_url="https://api.deepseek.com",
    paths={
        Dialect.OPENAI_CHAT: "/chat/completions",
        Dialect.ANTHROPIC_MESSAGES: "/anthropic/v1/messages",
    },
    authorise=lambda key: [("authorization", f"Bearer {key}")],
)
