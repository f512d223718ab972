"""Google's own API, which speaks Gemini's dialect alone."""

from __future__ import annotations

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

GOOGLE = ProviderKind(
    name="google",
    base_url="https://generativelanguage.googleapis.com",
    paths={Dialect.GEMINI: "/v1beta/models"},
    authorise=lambda key: [("x-goog-api-key", key)],
)
