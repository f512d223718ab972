"""The local topology: all of Tollway in one process, memory and SQLite behind the ports; what `make run` starts."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tollway_edge.bootstrap import METERING, PROMPT_REGISTRY, Stubs, bootstrap
from tollway_edge.settings import Settings
from tollway_metering import bootstrap as metering
from tollway_metering.settings import Settings as MeteringSettings
from tollway_prompt_registry import bootstrap as prompt_registry
from tollway_prompt_registry.settings import Settings as PromptRegistrySettings
from tollway_provider_dispatch.bootstrap import PROVIDER_NAMES
from tollway_servicekit.http_server import serving_http
from tollway_servicekit.settings import Environment
from tollway_servicekit.stubs import local_stub
from tollway_simulator import bootstrap as simulator
from tollway_simulator.settings import Settings as SimulatorSettings

from tollway_topologies.in_process import data_plane
from tollway_topologies.ready import Ready, local_key, welcome

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from pathlib import Path


async def serve_local(environ: Mapping[str, str], stop: asyncio.Event, ready_file: Path | None) -> None:
    environ = {**environ, "DEFAULT_WORKSPACE_KEY": local_key(environ)}
    async with AsyncExitStack() as stack:
        if needs_simulator(environ):
            port = await stack.enter_async_context(simulator.bootstrap(SimulatorSettings(listen="127.0.0.1:0")))
            environ["SIMULATOR_URL"] = f"http://127.0.0.1:{port}"
        meter = await stack.enter_async_context(metering.bootstrap(MeteringSettings.from_env(environ)))
        prompts = await stack.enter_async_context(prompt_registry.bootstrap(PromptRegistrySettings.from_env(environ)))
        plane = await data_plane(environ, stack)
        stubs = Stubs(
            metering=local_stub(METERING, meter),
            prompt_registry=local_stub(PROMPT_REGISTRY, prompts),
            **plane.stubs,
        )
        settings = Settings.from_env(environ)
        edge = await stack.enter_async_context(bootstrap(settings, stubs, **plane.ports(settings.config)))
        port = await stack.enter_async_context(serving_http(edge.api, settings.listen, protocol=edge.protocol))
        ready = Ready(
            url=f"http://{settings.listen.rpartition(':')[0]}:{port}",
            key=environ["DEFAULT_WORKSPACE_KEY"],
            simulator_url=environ.get("SIMULATOR_URL", ""),
            processes={"local": os.getpid()},
        )
        welcome(ready, "everything in one process, Ctrl-C ends it", ready_file)
        await stop.wait()


def needs_simulator(environ: Mapping[str, str]) -> bool:
    """Say whether nobody else could answer: no provider key, and no simulator that runs elsewhere."""
    env = Environment(environ)
    has_key = any(env.numbered(f"{name.upper()}_API_KEY") for name in PROVIDER_NAMES)
    return not has_key and not env.text("SIMULATOR_URL")
