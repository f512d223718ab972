"""The compact topology's process: edge with the data plane beside it; metering and prompt-registry are elsewhere."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tollway_edge.bootstrap import METERING, PROMPT_REGISTRY, Stubs, bootstrap
from tollway_edge.settings import Settings
from tollway_servicekit.channel import open_channel
from tollway_servicekit.http_server import serving_http
from tollway_servicekit.settings import Environment
from tollway_servicekit.stubs import plain_stub

from tollway_topologies.in_process import data_plane_stubs

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping


async def serve_compact(environ: Mapping[str, str], stop: asyncio.Event) -> None:
    env = Environment(environ)
    settings = Settings.from_env(environ)
    metering = env.required("METERING_ADDRESS", "host:port of the metering service")
    prompt_registry = env.required("PROMPT_REGISTRY_ADDRESS", "host:port of the prompt-registry service")
    async with AsyncExitStack() as stack:
        channels = [open_channel(address) for address in (metering, prompt_registry)]
        for channel in channels:
            stack.push_async_callback(channel.close)
        stubs = Stubs(
            metering=plain_stub(METERING, channels[0]),
            prompt_registry=plain_stub(PROMPT_REGISTRY, channels[1]),
            **await data_plane_stubs(environ, stack),
        )
        edge = await stack.enter_async_context(bootstrap(settings, stubs))
        await stack.enter_async_context(serving_http(edge.api, settings.listen, protocol=edge.protocol))
        await stop.wait()
