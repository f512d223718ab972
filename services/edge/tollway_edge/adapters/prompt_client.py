"""prompt-registry as the pipeline's `Prompts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway.prompt_registry.v1 import prompt_registry_pb2
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import InvalidRequest, NotFound, ServiceError

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway.prompt_registry.v1.prompt_registry_pb2_grpc import PromptRegistryServiceAsyncStub

    from tollway_edge.domain.call import Call

RESOLVE_SECONDS = 2.0


class PromptClient:
    """Resolves a prompt for one call."""

    def __init__(self, stub: PromptRegistryServiceAsyncStub) -> None:
        self._stub = stub

    async def resolve(self, call: Call, name: str, version: int, variables: Mapping[str, str]) -> tuple[str, str]:
        request = prompt_registry_pb2.ResolvePromptRequest(name=name, version=version, variables=variables)
        metadata = call_metadata(call.workspace.name if call.workspace else "", call.traceparent)
        try:
            prompt = await self._stub.ResolvePrompt(request, timeout=RESOLVE_SECONDS, metadata=metadata)
        except NotFound as error:
            raise GatewayError(GatewayErrorKind.NOT_FOUND, error.reason, error.message) from error
        except InvalidRequest as error:
            raise GatewayError(GatewayErrorKind.INVALID_REQUEST, error.reason, error.message) from error
        except ServiceError as error:
            message = f"prompt-registry cannot be asked now ({error.reason}); try again in a moment"
            raise GatewayError(GatewayErrorKind.UNAVAILABLE, error.reason, message, retry_after=2) from error
        return f"{prompt.name}@{prompt.version}", prompt.text
