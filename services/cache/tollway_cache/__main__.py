"""`python -m tollway_cache`: serves CacheService until it is told to stop."""

import asyncio
import os

from tollway_servicekit.process import run
from tollway_servicekit.serve import serving
from tollway_servicekit.tls import Tls

from tollway_cache.bootstrap import bootstrap
from tollway_cache.entrypoints.servicer import CONTRACT
from tollway_cache.settings import Settings


async def serve(stop: asyncio.Event) -> None:
    settings = Settings.from_env(os.environ)
    tls = Tls.from_env(os.environ)
    async with bootstrap(settings) as servicer, serving([(CONTRACT, servicer)], settings.listen, tls):
        await stop.wait()
        servicer.end_watches()


if __name__ == "__main__":
    run(serve)
