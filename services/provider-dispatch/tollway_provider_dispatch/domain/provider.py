"""What a provider is to the gateway: where it is, what it speaks, how it is paid for and authorised."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tollway_dialects.header_lines import from_lines, to_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tollway_dialects.dialect import Dialect

Headers = Sequence[tuple[str, str]]

_WORD = 1 << 64
# odd, with its bits well spread: the golden ratio's
_MIX = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """A provider as its file in `adapters/providers` describes it."""

    name: str
    base_url: str
    """Used where the environment names no other."""
    paths: Mapping[Dialect, str]
    """Path below the base URL for each dialect that it speaks."""
    authorise: Callable[[str], Headers]
    """Headers that carry a key."""
    query: str = ""
    """Put before a request's own, e.g. Azure's api-version."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A secret and the name under which it may be seen."""

    secret: str
    fingerprint: str
    salt: int = 0
    """What tells it from others when a conversation chooses."""

    @classmethod
    def of(cls, secret: str) -> ProviderKey:
        digest = hashlib.sha256(secret.encode())
        return cls(secret, digest.hexdigest()[:8], int.from_bytes(digest.digest()[8:16], "big"))

    def left_out_of(self, header_lines: bytes) -> bytes:
        """Return headers without those that quote the secret."""
        if not self.fingerprint:  # the simulator's stand-in, which is no secret
            return header_lines
        secret = self.secret.encode()
        if header_lines.find(secret) < 0:
            return header_lines
        return to_lines(header for header in from_lines(header_lines) if secret not in header[1])

    def masked_in(self, data: bytes) -> bytes:
        """Return data with the fingerprint where it quoted the secret."""
        return data.replace(self.secret.encode(), f"[key {self.fingerprint}]".encode()) if self.fingerprint else data

    def __repr__(self) -> str:
        return f"ProviderKey({self.fingerprint})"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of the chain: its kind with the address, keys and further headers in force."""

    kind: ProviderKind
    base_url: str
    keys: tuple[ProviderKey, ...]
    headers: tuple[tuple[str, str], ...] = ()
    serves_any_model: bool = False
    """Only the simulator: it answers as whatever model is asked for."""
    name: str = field(init=False)
    """Its kind's."""
    _urls: dict[Dialect, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Without a query."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.kind.name)
        self._urls.update((dialect, self._url(dialect, "", "")) for dialect in self.kind.paths)

    def url(self, dialect: Dialect, query: str, below: str = "") -> str:
        return self._url(dialect, query, below) if query or below else self._urls[dialect]

    def _url(self, dialect: Dialect, query: str, below: str) -> str:
        if self.kind.query:
            query = f"{self.kind.query}&{query}" if query else self.kind.query
        return f"{self.base_url}{self.kind.paths[dialect]}{below}{'?' + query if query else ''}"

    def lines_with(self, key: ProviderKey) -> bytes:
        """Return the headers that the gateway adds to a request, the key's among them."""
        headers = (*self.headers, *self.kind.authorise(key.secret))
        return to_lines((name.lower().encode(), value.encode("latin-1")) for name, value in headers)

    def keys_for(self, conversation: Callable[[], bytes]) -> Sequence[ProviderKey]:
        """
        Return the keys in this conversation's own order, which is the same for each of its calls.

        Prompt caches belong to an account. Each key is weighed alone, so one that is added or taken away moves the
        conversations on it and no others, and those of a key that rests spread over all that are left.
        """
        if len(self.keys) == 1:
            return self.keys
        # a hash of its own: clients name conversations too, and names begin alike
        digest = int.from_bytes(hashlib.blake2b(conversation(), digest_size=8).digest(), "big")
        return sorted(self.keys, key=lambda key: ((digest ^ key.salt) * _MIX) % _WORD, reverse=True)
