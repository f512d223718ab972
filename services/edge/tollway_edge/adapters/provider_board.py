"""The operator's view of providers: provider-dispatch's state of each, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_servicekit.errors import ServiceError

from tollway_edge.adapters.dispatch_client import translated

if TYPE_CHECKING:
    from tollway.provider_dispatch.v1.provider_dispatch_pb2_grpc import ProviderDispatchServiceAsyncStub

ANSWER_SECONDS = 2.0


class DispatchProviderBoard:
    """A `ProviderBoard`; of several replicas the one that is asked tells what it knows."""

    def __init__(self, stub: ProviderDispatchServiceAsyncStub) -> None:
        self._stub = stub

    async def providers(self) -> dict[str, Any]:
        try:
            told = await self._stub.ListProviders(pb.ListProvidersRequest(), timeout=ANSWER_SECONDS)
        except ServiceError as error:
            raise translated(error) from error
        return {"providers": [_provider(each) for each in told.providers]}


def _provider(state: pb.ProviderState) -> dict[str, Any]:
    return {
        "name": state.name,
        "base_url": state.base_url,
        "keys": list(state.key_fingerprints),
        "models": list(state.models),
        "breakers": [
            {
                "scope": each.scope,
                "state": "open" if each.left_ms else "half-open",
                "cause": each.cause,
                "reason": each.reason,
                "seconds_left": each.left_ms / 1000,
            }
            for each in state.breakers
        ],
        "last_errors": [
            {"scope": each.scope, "reason": each.reason, "unix_ms": each.unix_ms} for each in state.last_errors
        ],
    }
