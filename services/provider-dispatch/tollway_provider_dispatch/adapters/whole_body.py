"""How much of an answer that is no stream is collected; both HTTP clients keep to it."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from tollway_provider_dispatch.domain.ports import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

MAX_BODY = 64 * 1024 * 1024


async def joined(pieces: AsyncGenerator[bytes, None]) -> bytes:
    """Return a body that comes in pieces; raises `UpstreamBroken` once it is more than `MAX_BODY` bytes."""
    parts = []
    size = 0
    async with aclosing(pieces):
        async for piece in pieces:
            size += len(piece)
            if size > MAX_BODY:
                raise UpstreamBroken("malformed_response", f"a body of more than {MAX_BODY} bytes")
            parts.append(piece)
    return parts[0] if len(parts) == 1 else b"".join(parts)
