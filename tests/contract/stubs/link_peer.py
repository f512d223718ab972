"""`python link_peer.py <port>`: a peer that does what the workspace of a call says; for tests that kill it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import uvloop
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.contract import Contract
from tollway_servicekit.serve import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONTRACT = Contract.of(pb, "PromptRegistryService")


class Obedient:
    """Reads `delay=0.1&size=1000&count=5` from the workspace; counts what is in flight and what was sent."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.sent = 0

    async def ResolvePrompt(self, request: pb.ResolvePromptRequest, context: Any) -> pb.ResolvePromptResponse:
        self.in_flight += 1
        try:
            told = dict(parse_qsl(context.workspace))
            await asyncio.sleep(float(told.get("delay", 0)))
            return pb.ResolvePromptResponse(name=request.name, text="x" * int(told.get("size", 0)))
        finally:
            self.in_flight -= 1

    async def PublishPrompt(self, request: Any, context: Any) -> pb.PublishPromptResponse:
        return pb.PublishPromptResponse()

    async def WatchPrompts(self, request: Any, context: Any) -> AsyncIterator[pb.WatchPromptsResponse]:
        self.in_flight += 1
        try:
            told = dict(parse_qsl(context.workspace))
            template = "x" * int(told.get("size", 0))
            for number in range(int(told["count"])):
                self.sent += 1
                name = f"{told['id']}-{number}"
                yield pb.WatchPromptsResponse(versions=[pb.PromptVersion(name=name, template=template)])
                await asyncio.sleep(float(told.get("delay", 0)))
        finally:
            self.in_flight -= 1


async def main(port: int) -> None:
    async with serving([(CONTRACT, Obedient())], f"127.0.0.1:{port}") as listening:
        print(listening, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
