"""A link's peer as a process that can be killed or stopped."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PEER = Path(__file__).parent / "link_peer.py"


@asynccontextmanager
async def peer_process(port: int = 0) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, PEER, str(port), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            yield process, int(await process.stdout.readline())  # type: ignore[union-attr]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
