"""Builds the simulator and runs it as long as a block; called by `__main__`, the local topology and tests."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tollway_servicekit.http_server import serving_http

from tollway_simulator.domain.log import Log
from tollway_simulator.domain.script_queue import ScriptQueue
from tollway_simulator.entrypoints.app import Application
from tollway_simulator.entrypoints.connection.protocol import ConnectionProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_simulator.settings import Settings

log = logging.getLogger(__name__)


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[int]:
    """
    Serve on the running loop until the block is left; streams that are then still open are cut.

    Yields:
        The port that is listened on.

    Raises:
        OSError: The address is taken or not ours.
    """
    app = Application(settings.models, Log(), ScriptQueue())
    async with serving_http(app, settings.listen, protocol=ConnectionProtocol, grace=5) as port:
        log.info("the simulator listens on %s:%d", settings.listen.rpartition(":")[0], port)
        try:
            yield port
        finally:
            app.cut_all()
