"""Tollway's simulator as a provider: both dialects, any model, no cost. Only where it was switched on."""

from __future__ import annotations

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

SIMULATOR = ProviderKind(
    name="simulator",
    base_url="",
    paths={Dialect.ANTHROPIC_MESSAGES: "/v1/messages", Dialect.OPENAI_CHAT: "/v1/chat/completions"},
    authorise=lambda key: [("authorization", f"Bearer {key}")],
)
