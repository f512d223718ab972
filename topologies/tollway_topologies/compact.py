"""The compact topology's process: edge with the data plane beside it; metering and prompt-registry are elsewhere."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tollway_edge.adapters.remote import Remote
from tollway_edge.bootstrap import METERING, PROMPT_REGISTRY, Stubs, bootstrap
from tollway_edge.settings import Calling, Settings
from tollway_servicekit.http_server import serving_http
from tollway_servicekit.settings import Environment

from tollway_topologies.in_process import data_plane

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping


async def serve_compact(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    env = Environment(environ)
    settings = Settings.from_env(environ)
    metering = env.required("METERING_ADDRESS", "host:port of the metering service")
    prompt_registry = env.required("PROMPT_REGISTRY_ADDRESS", "host:port of the prompt-registry service")
    async with AsyncExitStack() as stack:
        remote = Remote(Calling.from_env(environ), stack)
        plane = await data_plane(environ, stack)
        stubs = Stubs(
            metering=await remote.stub(METERING, metering),
            prompt_registry=await remote.stub(PROMPT_REGISTRY, prompt_registry),
            links=remote.links,
            **plane.stubs,
        )
        edge = await stack.enter_async_context(bootstrap(settings, stubs, **plane.ports(settings.config)))
        await stack.enter_async_context(serving_http(edge.api, settings.listen, protocol=edge.protocol))
        await stop.wait()
