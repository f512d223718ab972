"""Google's Gemini API, in its own dialect. Its base URL is the bare host."""

from __future__ import annotations

from tollway_dialects.dialect import Dialect

from tollway_provider_dispatch.domain.provider import ProviderKind

GOOGLE = ProviderKind(
    name="google",
    base_url="https://generativelanguage.googleapis.com",
    # model and way of answering stand in the path, which the dialect makes
    paths={Dialect.GEMINI: ""},
    authorise=lambda key: [("x-goog-api-key", key)],
)
