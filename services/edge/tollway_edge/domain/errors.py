"""Why the gateway itself refuses or breaks off a call; entrypoints say it in the client's dialect."""

from __future__ import annotations

from tollway_dialects.errors import GatewayErrorKind

__all__ = ["GatewayError", "GatewayErrorKind"]


class GatewayError(Exception):
    """
    One refusal.

    Args:
        kind: Decides status and type in each dialect.
        reason: UPPER_SNAKE; what the ledger and metrics keep.
        message: For people: what happened and what to do next. Never holds secrets or prompt text.
        retry_after: Seconds until a retry makes sense; None where it makes none.
    """

    def __init__(self, kind: GatewayErrorKind, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
