"""`python -m tollway_provider_dispatch`: serves ProviderDispatchService until it is told to stop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tollway_servicekit.process import run
from tollway_servicekit.serve import serving
from tollway_servicekit.tls import Tls

from tollway_provider_dispatch.bootstrap import PROVIDER_NAMES, bootstrap
from tollway_provider_dispatch.entrypoints.servicer import CONTRACT
from tollway_provider_dispatch.settings import Settings

if TYPE_CHECKING:
    import asyncio


async def main(stop: asyncio.Event) -> None:
    settings = Settings.from_env(os.environ, PROVIDER_NAMES)
    tls = Tls.from_env(os.environ)
    async with bootstrap(settings) as servicer, serving([(CONTRACT, servicer)], settings.listen, tls):
        await stop.wait()


if __name__ == "__main__":
    run(main)
