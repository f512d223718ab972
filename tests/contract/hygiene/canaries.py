"""Texts that exist nowhere else, and the search for what is left of them; made once for each topology."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field, fields

_LETTERS = string.ascii_lowercase + string.digits
_LENGTH = 32
_PIECE = 10


def _canary(prefix: str = "") -> str:
    # letters and digits alone: no encoding of URLs, JSON or headers changes them
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def _of(prefix: str = "") -> str:
    return field(default_factory=lambda: _canary(prefix))


@dataclass(frozen=True)
class Canaries:
    """What is given to the gateway, each in one place."""

    # secrets
    virtual_key: str = _of("tw_")
    strangers_key: str = _of("tw_")
    anthropic_key: str = _of("sk-ant-api03-")
    anthropic_key_2: str = _of("sk-ant-api03-")
    openai_key: str = _of("sk-proj-")
    openai_key_2: str = _of("sk-proj-")
    redis_password: str = _of()
    cookie: str = _of()

    # content
    prompt: str = _of()
    system: str = _of()
    published: str = _of()
    """In the text of a published prompt."""
    variable: str = _of()
    tool: str = _of()
    """In a tool's description and schema."""
    argument: str = _of()
    tool_result: str = _of()
    image: str = _of()
    user_id: str = _of()
    malformed: str = _of()
    """In bodies that no request can be read from."""
    answer: str = _of()
    """Comes back in answers, and in no other place than these and the cache."""
    argument_name: str = _of()
    """Comes back as the name of an argument of a tool call."""
    nonsense: str = _of()
    """What a provider sends instead of an answer; whatever it sends with status 200 is passed on."""

    # what a client names things
    user_agent: str = _of()
    header: str = _of()
    query: str = _of()
    field_name: str = _of()
    conversation: str = _of()
    path: str = _of()
    model: str = _of("model-")
    prompt_name: str = _of("prompt-")

    def in_(self, data: bytes) -> set[str]:
        """Return the names of those that occur in `data`: whole, or their beginning or end, or 20 letters of them."""
        data = data.lower()
        return {name for name, pieces in self._pieces().items() if any(piece in data for piece in pieces)}

    def _pieces(self) -> dict[str, list[bytes]]:
        starts = (0, (_LENGTH - _PIECE) // 2, _LENGTH - _PIECE)
        texts = {one.name: getattr(self, one.name)[-_LENGTH:] for one in fields(self)}
        return {name: [text[start : start + _PIECE].encode() for start in starts] for name, text in texts.items()}


PROVIDER_KEYS = frozenset({"anthropic_key", "anthropic_key_2", "openai_key", "openai_key_2"})
