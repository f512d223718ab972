"""The account at a provider that made something, and the workspace for which it did."""

from __future__ import annotations

import msgspec


class Account(msgspec.Struct, frozen=True, array_like=True):
    """A provider's key, on behalf of a workspace."""

    workspace: str
    provider: str
    key_fingerprint: str
