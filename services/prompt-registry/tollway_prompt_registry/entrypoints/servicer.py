"""PromptRegistryService over the domain; nothing but translation."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.contract import Contract

from tollway_prompt_registry.domain.prompts import PromptVersion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_servicekit.context import CallContext

    from tollway_prompt_registry.domain.registry import PromptRegistry

CONTRACT = Contract.of(pb, "PromptRegistryService")


class PromptRegistryServicer:
    """Serves `tollway.prompt_registry.v1.PromptRegistryService`."""

    def __init__(self, registry: PromptRegistry) -> None:
        self._registry = registry

    async def ResolvePrompt(self, request: pb.ResolvePromptRequest, context: CallContext) -> pb.ResolvePromptResponse:
        version, text = self._registry.resolve(request.name, request.version, dict(request.variables))
        return pb.ResolvePromptResponse(name=version.name, version=version.version, text=text)

    async def PublishPrompt(self, request: pb.PublishPromptRequest, context: CallContext) -> pb.PublishPromptResponse:
        version = await self._registry.publish(PromptVersion(request.name, request.version, request.template))
        return pb.PublishPromptResponse(version=_to_message(version))

    async def WatchPrompts(
        self, request: pb.WatchPromptsRequest, context: CallContext
    ) -> AsyncIterator[pb.WatchPromptsResponse]:
        async with aclosing(self._registry.watch()) as news:
            async for versions in news:
                yield pb.WatchPromptsResponse(versions=map(_to_message, versions))

    def end_watches(self) -> None:
        """End open watches; called before the server stops, which would wait for them."""
        self._registry.end_watches()


def _to_message(version: PromptVersion) -> pb.PromptVersion:
    return pb.PromptVersion(
        name=version.name, version=version.version, template=version.template, digest=version.digest
    )
