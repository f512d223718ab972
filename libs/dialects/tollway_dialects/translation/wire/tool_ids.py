"""Ids of tool calls in the form that a dialect takes; used for calls and results alike, so that they keep matching."""

from __future__ import annotations

import hashlib
import re

# Anthropic takes these characters, OpenAI this many
_VALID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def valid_tool_id(identifier: str) -> str:
    """Return the id where every dialect takes it, else another one: the same for the same id, and for no other."""
    if _VALID.fullmatch(identifier):
        return identifier
    digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()
    return f"call_{digest[:40]}"
