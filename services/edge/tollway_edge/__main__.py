"""`python -m tollway_edge`: serves HTTP until it is told to stop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tollway_servicekit.http_server import serving_http
from tollway_servicekit.process import run

from tollway_edge.bootstrap import bootstrap, remote_stubs
from tollway_edge.settings import Addresses, Calling, Settings

if TYPE_CHECKING:
    import asyncio


async def main(stop: asyncio.Event) -> None:
    settings, addresses = Settings.from_env(os.environ), Addresses.from_env(os.environ)
    async with (
        remote_stubs(Calling.from_env(os.environ), addresses) as stubs,
        bootstrap(settings, stubs) as edge,
        serving_http(edge.api, settings.listen, protocol=edge.protocol),
    ):
        await stop.wait()


if __name__ == "__main__":
    run(main)
