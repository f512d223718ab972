"""What dispatching needs from outside: an HTTP client for each provider, and a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_provider_dispatch.domain.account import Account


class UpstreamBroken(Exception):
    """
    No answer, or not a whole one.

    Args:
        reason: One of connect_failed, reset, timeout, malformed_response.
        message: Without anything that is secret.
        is_sent: False where the whole request is known not to have left, so that nobody can charge for it.
    """

    def __init__(self, reason: str, message: str, *, is_sent: bool = True) -> None:
        super().__init__(message)
        self.reason = reason
        self.is_sent = is_sent


class AccountsUnavailable(Exception):
    """It cannot be known now who made what."""


class UpstreamAnswer(Protocol):
    """One HTTP answer whose status and headers have been read."""

    status: int
    header_lines: bytes
    """End-to-end headers; the body is handed on decoded, so its framing is not among them."""

    async def read(self) -> bytes:
        """Return the whole body; raises `UpstreamBroken`."""

    def pieces(self) -> AsyncIterator[bytes]:
        """Return what arrives, as it arrives, joined by read; raises `UpstreamBroken`."""

    def close(self) -> None:
        """Give the connection back if the body was read to its end; else close it at once."""


class UpstreamClient(Protocol):
    """HTTP towards one provider, long-lived."""

    async def request(self, method: str, url: str, header_lines: bytes, body: bytes) -> UpstreamAnswer:
        """Return once the answer's headers are there; raises `UpstreamBroken`."""


class Accounts(Protocol):
    """Which account made what a provider keeps."""

    async def remember(self, kept_id: str, account: Account) -> None:
        """Keep it for as long as the provider keeps the answer; raises `AccountsUnavailable`."""

    async def find(self, kept_id: str) -> Account | None:
        """Return who made it; None where that is not known (any more). Raises `AccountsUnavailable`."""


class Clock(Protocol):
    """Wall time."""

    def unix_ms(self) -> int:
        """Milliseconds since 1970."""
