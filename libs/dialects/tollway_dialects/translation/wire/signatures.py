"""
Signatures of thinking that travel through a client of another dialect.

A client hands a signature back as it got it. One that another dialect's provider made is marked, so that it goes back
to that dialect, and never to a provider who did not make it.
"""

from __future__ import annotations

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import Thought

# no provider's signature has a colon: they are base64
_MARK = "tollway"
_REDACTED = "redacted"
_ORIGINS = frozenset(map(str, Dialect))


def carried_signature(thought: Thought, client: Dialect) -> str:
    """Return what the client keeps for a thought: its own dialect's signature as it is, any other marked."""
    if thought.origin is client:
        return thought.signature
    return f"{_MARK}:{thought.origin}:{_REDACTED if thought.is_redacted else thought.id}:{thought.signature}"


def thought_of(
    text: str, signature: str, client: Dialect, *, identifier: str = "", is_redacted: bool = False
) -> Thought:
    """Return the thought that a client hands back."""
    mark, _, rest = signature.partition(":")
    if mark != _MARK or rest.count(":") < 2:
        return Thought(text, client, signature, identifier, is_redacted)
    origin, name, own = rest.split(":", 2)
    if origin not in _ORIGINS:
        return Thought(text, client, signature, identifier, is_redacted)
    is_redacted = name == _REDACTED
    return Thought(text, Dialect(origin), own, "" if is_redacted else name, is_redacted)
