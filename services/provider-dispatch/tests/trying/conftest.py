"""A server that answers each request with the next of a test's answers."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from saying import END, STREAM


@pytest.fixture
def say(server: Any) -> Any:
    """Answer each request with the next of these bytes, in one or several packets; a cut one ends its connection."""

    def say(*answers: bytes | tuple[bytes, ...]) -> None:
        left = iter(answers)

        async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
            said = next(left)
            packets = said if isinstance(said, tuple) else (said,)
            for packet in packets:
                writer.write(packet)
                await writer.drain()
                await asyncio.sleep(0.02)  # a packet of its own for each
            if packets[0].startswith(STREAM) and not packets[-1].endswith(END):
                writer.close()

        server.answer = answer

    return say
