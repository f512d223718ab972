"""Endpoints that speak a known dialect and stand in config.yaml alone: vLLM, Ollama, Azure and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

if TYPE_CHECKING:
    from tollway_provider_dispatch.settings import Endpoint

_PATHS = {
    "chat": (Dialect.OPENAI_CHAT, "/chat/completions"),
    "responses": (Dialect.OPENAI_RESPONSES, "/responses"),
    "embeddings": (Dialect.OPENAI_EMBEDDINGS, "/embeddings"),
    "messages": (Dialect.ANTHROPIC_MESSAGES, "/messages"),
}


def compatible(name: str, endpoint: Endpoint) -> ProviderKind:
    """Return an endpoint as a provider; its base URL includes /v1 where it has one."""
    paths = dict(_PATHS[each] for each in endpoint.speaks)

    def authorise(key: str) -> list[tuple[str, str]]:
        if not key:
            return []
        return [(endpoint.key_header, f"Bearer {key}" if endpoint.key_header == "authorization" else key)]

    return ProviderKind(name, endpoint.base_url.rstrip("/"), paths, authorise, endpoint.query)
