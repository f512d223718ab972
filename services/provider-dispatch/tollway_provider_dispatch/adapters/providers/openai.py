"""OpenAI's own API. Its base URL includes /v1, as in OpenAI's SDKs."""

from __future__ import annotations

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

OPENAI = ProviderKind(
    name="openai",
    base_url="https://api.openai.com/v1",
    paths={
        Dialect.OPENAI_CHAT: "/chat/completions",
        Dialect.OPENAI_RESPONSES: "/responses",
        Dialect.OPENAI_EMBEDDINGS: "/embeddings",
        Dialect.OPENAI_INPUT_TOKENS: "/responses/input_tokens",
    },
    authorise=lambda key: [("authorization", f"Bearer {key}")],
)
