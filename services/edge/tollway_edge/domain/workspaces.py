"""Who may call and what it costs: the last snapshot that metering pushed, asked without any round trip."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollway_pricing.table import PriceTable

from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Workspace:
    """Who pays for a call."""

    name: str
    monthly_token_cap: int = 0
    """0: no cap, and no reservation is needed."""


def digest_of(key: str) -> bytes:
    """Return what a key is known by: SHA-256 of its text, nothing for no key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest() if key else b""


class Workspaces:
    """The snapshot in force; the last one stays when metering is away."""

    def __init__(self) -> None:
        self._by_digest: Mapping[bytes, Workspace] | None = None
        self.prices = PriceTable([])

    @property
    def is_known(self) -> bool:
        """A snapshot has come."""
        return self._by_digest is not None

    def replace(self, by_digest: Mapping[bytes, Workspace], prices: PriceTable) -> None:
        """Take a new snapshot; keys are digests of virtual keys."""
        self._by_digest = by_digest
        self.prices = prices

    def authenticate(self, key_digest: bytes) -> Workspace:
        """Return the workspace of the virtual key with this digest; raises `GatewayError`."""
        if self._by_digest is None:
            raise GatewayError(
                GatewayErrorKind.UNAVAILABLE,
                "WORKSPACES_UNKNOWN",
                "the gateway has not heard from metering yet; try again in a moment",
                retry_after=2,
            )
        if not key_digest:
            raise GatewayError(
                GatewayErrorKind.UNAUTHENTICATED,
                "KEY_MISSING",
                "no API key: send a Tollway key (tw_…) as x-api-key or as Authorization: Bearer",
            )
        workspace = self._by_digest.get(key_digest)
        if workspace is None:
            raise GatewayError(
                GatewayErrorKind.UNAUTHENTICATED,
                "KEY_UNKNOWN",
                "invalid API key: this is no key of this Tollway; ask its operator for one",
            )
        return workspace
