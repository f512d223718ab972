"""The operator's view of providers as protobuf messages; used by the servicer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.dispatch import Dispatcher


def providers_to(dispatcher: Dispatcher) -> pb.ListProvidersResponse:
    cooldowns = dispatcher.cooldowns
    open_now = cooldowns.entries()
    return pb.ListProvidersResponse(
        providers=[
            pb.ProviderState(
                name=provider.name,
                base_url=provider.base_url,
                key_fingerprints=[key.fingerprint for key in provider.keys],
                models=dispatcher.chain.models_of(provider),
                breakers=[
                    pb.Breaker(scope=scope, cause=each.cause, reason=each.reason, left_ms=cooldowns.left_ms(each))
                    for scope, each in open_now.items()
                    if _is_of(provider.name, scope)
                ],
                last_errors=[
                    pb.LastError(scope=scope, reason=reason, unix_ms=unix_ms)
                    for scope, (reason, unix_ms) in cooldowns.last_errors.items()
                    if _is_of(provider.name, scope)
                ],
            )
            for provider in dispatcher.chain.providers
        ]
    )


def _is_of(provider: str, scope: str) -> bool:
    return scope.partition("/")[0] == provider
