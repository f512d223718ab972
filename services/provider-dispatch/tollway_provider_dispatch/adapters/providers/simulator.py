"""Tollway's simulator as a provider: every dialect, any model, no cost. Only where it was switched on."""

from __future__ import annotations

from tollway_dialects.wires import UPSTREAM_WIRES

from tollway_provider_dispatch.domain.provider import ProviderKind

SIMULATOR = ProviderKind(
    name="simulator",
    base_url="",
    paths={dialect: wire.path for dialect, wire in UPSTREAM_WIRES.items()},
    authorise=lambda key: [("authorization", f"Bearer {key}"), ("x-goog-api-key", key)],
)
