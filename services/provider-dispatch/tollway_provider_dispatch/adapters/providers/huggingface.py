"""HuggingFace's router to inference providers. Its base URL includes /v1."""

from __future__ import annotations

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

HUGGINGFACE = ProviderKind(
    name="huggingface",
    base_url="https://router.huggingface.co/v1",
    paths={
        Dialect.OPENAI_CHAT: "/chat/completions",
        Dialect.OPENAI_RESPONSES: "/responses",
        Dialect.ANTHROPIC_MESSAGES: "/messages",
    },
    authorise=lambda key: [("authorization", f"Bearer {key}")],
)
