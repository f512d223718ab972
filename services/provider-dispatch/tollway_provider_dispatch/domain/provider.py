"""What a provider is to the gateway: where it is, what it speaks, how it is paid for and authorised."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tollway_dialects.dialect import Dialect

Headers = list[tuple[str, str]]


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


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A secret and the name under which it may be seen."""

    secret: str
    fingerprint: str

    @classmethod
    def of(cls, secret: str) -> ProviderKey:
        return cls(secret, hashlib.sha256(secret.encode()).hexdigest()[:8])

    def is_told_by(self, text: str) -> bool:
        # the simulator's stand-in has no fingerprint, and is no secret
        return bool(self.fingerprint) and self.secret in text

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

    @property
    def name(self) -> str:
        return self.kind.name

    def url(self, dialect: Dialect, query: str) -> str:
        return f"{self.base_url}{self.kind.paths[dialect]}{'?' + query if query else ''}"

    def key_for(self, conversation: bytes) -> ProviderKey:
        """Return the same key for the same conversation: prompt caches belong to an account."""
        # a hash of its own: clients name conversations too, and names begin alike
        digest = hashlib.blake2b(conversation, digest_size=8).digest()
        return self.keys[int.from_bytes(digest, "big") % len(self.keys)]
