"""`python -m tollway_simulator`: serves until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import os

from tollway_servicekit.process import run

from tollway_simulator.bootstrap import bootstrap
from tollway_simulator.settings import Settings


async def serve(stop: asyncio.Event) -> None:
    async with bootstrap(Settings.from_env(os.environ)):
        await stop.wait()


if __name__ == "__main__":
    run(serve)
