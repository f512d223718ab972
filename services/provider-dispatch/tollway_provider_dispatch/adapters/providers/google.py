"""Gemini, at the address where it takes OpenAI's dialect."""

from __future__ import annotations

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

GOOGLE = ProviderKind(
    name="google",
    base_url="https://generativelanguage.googleapis.com",
    paths={
        Dialect.OPENAI_CHAT: "/v1beta/openai/chat/completions",
        Dialect.OPENAI_EMBEDDINGS: "/v1beta/openai/embeddings",
    },
    authorise=lambda key: [("authorization", f"Bearer {key}")],
)
