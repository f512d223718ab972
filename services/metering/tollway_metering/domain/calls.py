"""What is listed: a client call, its attempts, what they cost, and sums of them; `batch.py` has what is booked."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from tollway_dialects.usage import Usage


class CallStatus(StrEnum):
    """How a client call ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


def is_cache_hit(cache: str) -> bool:
    """Whether what a call's `cache` says is that its answer came from there."""
    return cache in {"exact", "semantic"}


class Attempt(msgspec.Struct, frozen=True):
    """One try at one provider."""

    number: int
    provider: str = ""
    model: str = ""
    key_fingerprint: str = ""
    http_status: int = 0
    outcome: str = ""
    reason: str = ""
    usage: Usage = Usage()
    started_unix_ms: int = 0
    duration_ms: int = 0


class Call(msgspec.Struct, frozen=True):
    """One client call, as edge saw it. `usage` is the client's; attempts have their own."""

    call_id: str
    workspace: str
    status: CallStatus
    started_unix_ms: int = 0
    duration_ms: int = 0
    time_to_first_byte_ms: int = 0
    dialect: str = ""
    is_streamed: bool = False
    requested_model: str = ""
    model: str = ""
    provider: str = ""
    tier: str = ""
    classifier: str = ""
    cache: str = ""
    http_status: int = 0
    reason: str = ""
    usage: Usage = Usage()
    saved_micro_usd: int = 0
    prompt: str = ""
    attempts: tuple[Attempt, ...] = ()

    @property
    def is_cache_hit(self) -> bool:
        return is_cache_hit(self.cache)

    @property
    def counted_tokens(self) -> int:
        """What counts towards the workspace's cap; an answer from the cache was paid before."""
        return 0 if self.is_cache_hit else self.usage.total


class Charge(msgspec.Struct, frozen=True):
    """The price of a call or an attempt; unpriced where the model has no price: then the amount is 0."""

    micro_usd: int
    is_unpriced: bool = False


class BookedCall(msgspec.Struct, frozen=True):
    """A row of the ledger. `attempt_charges` stand in the order of the call's attempts."""

    call: Call
    charge: Charge
    attempt_charges: tuple[Charge, ...]
    booked_unix_ms: int


class UsageSums(msgspec.Struct, frozen=True):
    """Sums over calls; `usage` leaves cache hits out, so that it is what `cost_micro_usd` paid for."""

    calls: int = 0
    failed_calls: int = 0
    cancelled_calls: int = 0
    cache_hits: int = 0
    usage: Usage = Usage()
    cost_micro_usd: int = 0
    saved_micro_usd: int = 0
