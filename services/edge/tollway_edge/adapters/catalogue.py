"""What can be called, as clients list it: provider-dispatch's models, and the tiers of config.yaml."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tollway.chat.v1 import chat_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_servicekit.errors import ServiceError

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tollway.provider_dispatch.v1.provider_dispatch_pb2_grpc import ProviderDispatchServiceAsyncStub

LIST_SECONDS = 2.0
# neither provider tells when its models were made, and both SDKs want a date
_CREATED, _CREATED_AT = 0, "1970-01-01T00:00:00Z"
_OPENAI = (
    chat_pb2.DIALECT_OPENAI_CHAT,
    chat_pb2.DIALECT_OPENAI_RESPONSES,
    chat_pb2.DIALECT_OPENAI_EMBEDDINGS,
)


class DispatchCatalogue:
    """
    Models by name.

    Args:
        stub: provider-dispatch.
        tier_names: `auto` and the tiers with their aliases.
        max_age: Seconds for which a list is taken as true; health probes ask often.
    """

    def __init__(self, stub: ProviderDispatchServiceAsyncStub, tier_names: Sequence[str], max_age: float = 2.0) -> None:
        self._stub = stub
        self._tier_names = tier_names
        self._max_age = max_age
        self._known: pb.ListModelsResponse | None = None
        self._known_until = 0.0

    async def providers(self) -> list[str]:
        return list((await self._list()).providers)

    async def trouble(self) -> list[str]:
        """Return why no call can be served; empty when all is well."""
        try:
            listed = await self._list()
        except GatewayError as error:
            return [error.message]
        if listed.providers:
            return []
        return ["no provider has a key: set one, e.g. ANTHROPIC_API_KEY, or switch the simulator on"]

    async def openai_list(self) -> dict[str, Any]:
        listed = await self._names(*_OPENAI)
        return {"object": "list", "data": [_openai(name, owner) for name, owner in listed.items()]}

    async def openai_model(self, name: str) -> dict[str, Any]:
        return _openai(name, _found(await self._names(*_OPENAI), name))

    async def anthropic_list(self, limit: int, after: str, before: str) -> dict[str, Any]:
        names = list(await self._names(chat_pb2.DIALECT_ANTHROPIC_MESSAGES))
        if before in names:
            names = names[: names.index(before)]
            shown = names[-limit:]
        else:
            names = names[names.index(after) + 1 :] if after in names else names
            shown = names[:limit]
        first, last = (shown[0], shown[-1]) if shown else (None, None)
        data = [_anthropic(name) for name in shown]
        return {"data": data, "has_more": len(shown) < len(names), "first_id": first, "last_id": last}

    async def anthropic_model(self, name: str) -> dict[str, Any]:
        _found(await self._names(chat_pb2.DIALECT_ANTHROPIC_MESSAGES), name)
        return _anthropic(name)

    async def _names(self, *dialects: chat_pb2.Dialect.ValueType) -> dict[str, str]:
        listed = await self._list()
        served = {
            model.name: model.provider
            for model in listed.models
            if any(dialect in model.dialects for dialect in dialects)
        }
        return served | dict.fromkeys(self._tier_names, "tollway")

    async def _list(self) -> pb.ListModelsResponse:
        if self._known is None or time.monotonic() > self._known_until:
            try:
                self._known = await self._stub.ListModels(pb.ListModelsRequest(), timeout=LIST_SECONDS)
            except ServiceError as error:
                message = f"provider-dispatch cannot be asked now ({error.reason}); try again in a moment"
                raise GatewayError(GatewayErrorKind.UNAVAILABLE, error.reason, message, retry_after=2) from error
            self._known_until = time.monotonic() + self._max_age
        return self._known


def _openai(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": owner}


def _anthropic(name: str) -> dict[str, Any]:
    told = {"display_name": name, "created_at": _CREATED_AT, "lifecycle": "active"}
    return {"type": "model", "id": name, **told}


def _found(listed: Mapping[str, str], name: str) -> str:
    """Return who owns a model; raises `GatewayError`."""
    if name not in listed:
        message = "there is no such model here; GET /v1/models lists those that there are"
        raise GatewayError(GatewayErrorKind.MODEL_NOT_FOUND, "MODEL_NOT_FOUND", message)
    return listed[name]
