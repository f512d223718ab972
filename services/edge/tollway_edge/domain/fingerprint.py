"""The exact cache key: over everything that shapes an answer, and nothing else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollway_dialects.request import RequestBody

    from tollway_edge.domain.call import Call

_SHAPING_HEADERS = frozenset({"anthropic-version", "anthropic-beta", "openai-beta"})


def exact_key(call: Call, body: RequestBody) -> bytes:
    """
    Return 32 bytes that are equal for equal questions of one workspace; none where the answer may not be cached.

    An explicit temperature above 0 asks for variety. One that is absent is cacheable. What else forbids it, and which
    fields shape no answer, is for the dialect to say.
    """
    wire = call.wire
    if not wire.is_cacheable(body) or (body.get("temperature", float) or 0) > 0:
        return b""
    digest = hashlib.sha256()
    for part in (call.workspace.name if call.workspace else "", call.dialect.value, call.query):
        _add(digest, part.encode())
    for name, value in call.forwarded:
        if name in _SHAPING_HEADERS:
            _add(digest, f"{name}:{value}".encode())
    for name in sorted(body.fields.keys() - wire.not_shaping):
        _add(digest, name.encode())
        _add(digest, body.fields[name])
    return digest.digest()


def _add(digest: hashlib._Hash, part: bytes | memoryview) -> None:
    digest.update(b"%d:" % len(part))  # lengths, so that no two lists of parts run into the same bytes
    digest.update(part)
