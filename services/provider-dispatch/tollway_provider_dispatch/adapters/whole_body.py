"""How much of an answer that is no stream is collected; both HTTP clients keep to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_provider_dispatch.domain.ports import UpstreamBroken

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.ports import UpstreamAnswer

MAX_BODY = 64 * 1024 * 1024


async def joined(answer: UpstreamAnswer) -> bytes:
    """Return a body that comes in pieces; raises `UpstreamBroken` once it is more than `MAX_BODY` bytes."""
    parts = []
    size = 0
    while piece := await answer.piece():
        size += len(piece)
        if size > MAX_BODY:
            raise UpstreamBroken("malformed_response", f"a body of more than {MAX_BODY} bytes")
        parts.append(piece)
    return parts[0] if len(parts) == 1 else b"".join(parts)
