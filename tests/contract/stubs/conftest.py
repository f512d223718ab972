"""A small servicer on an existing contract, behind each kind of stub."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.contract import Contract
from tollway_servicekit.testing import STUB_KINDS, TLS_STUB_KINDS, stub_of

sys.path.insert(0, str(Path(__file__).parents[2]))
from contract.stubs.authority import Authority
from contract.stubs.link_peer import Obedient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

CONTRACT = Contract.of(pb, "PromptRegistryService")


class Servicer:
    """Serves PromptRegistryService with the functions that a test gives it."""

    def __init__(self, resolve: Any = None, watch: Any = None) -> None:
        self._resolve = resolve
        self._watch = watch

    async def ResolvePrompt(self, request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
        return await self._resolve(request, context)

    async def PublishPrompt(self, request: pb.PublishPromptRequest, context: Any) -> pb.PublishPromptResponse:
        return pb.PublishPromptResponse()

    async def WatchPrompts(self, request: Any, context: Any) -> AsyncIterator[pb.WatchPromptsResponse]:
        async for response in self._watch(request, context):
            yield response


@pytest.fixture
def contract() -> Contract:
    return CONTRACT


@pytest.fixture
def serve_with() -> type[Servicer]:
    """`serve_with(resolve=…, watch=…)` gives a servicer made of these functions."""
    return Servicer


@pytest.fixture
def obedient() -> Any:
    """A servicer that does what the workspace of a call says."""
    return Obedient()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA with the files of a process that it made a certificate for."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(params=[*STUB_KINDS, *TLS_STUB_KINDS])
async def connect(request: pytest.FixtureRequest, authority: Authority) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """`await connect(resolve=…, watch=…)` gives a stub of a servicer made of these functions."""
    tls = authority.tls if request.param in TLS_STUB_KINDS else None
    async with AsyncExitStack() as stack:

        async def stub(resolve: Any = None, watch: Any = None) -> Any:
            return await stack.enter_async_context(stub_of(request.param, CONTRACT, Servicer(resolve, watch), tls))

        yield stub
