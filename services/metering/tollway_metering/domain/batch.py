"""
Finished calls as columns, the form in which they are booked; `calls.py` has the rows in which they are listed.

Thousands a second pass here, so what is done for each of them is done by `zip` and `map`, and what many have in common
is looked at once: the nth value of each column belongs to the nth call.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.usage import Usage

from tollway_metering.domain.calls import Attempt, BookedCall, Call, CallStatus, Charge, is_cache_hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class CallKind(msgspec.Struct, frozen=True):
    """What calls have in common."""

    workspace: str
    status: CallStatus
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
    prompt: str = ""

    @property
    def is_cache_hit(self) -> bool:
        return is_cache_hit(self.cache)


class AttemptKind(msgspec.Struct, frozen=True):
    """What attempts have in common."""

    number: int
    provider: str = ""
    model: str = ""
    key_fingerprint: str = ""
    http_status: int = 0
    outcome: str = ""
    reason: str = ""


class UsageColumns(msgspec.Struct, frozen=True):
    """The fields of `Usage`, in its order."""

    uncached_input: list[int]
    cache_write_short: list[int]
    cache_write_long: list[int]
    cache_read: list[int]
    output: list[int]
    reasoning: list[int]
    is_estimated: list[bool]

    def counts(self) -> tuple[list[int], ...]:
        """Return the columns that are counts of tokens."""
        return msgspec.structs.astuple(self)[:-1]

    def rows(self) -> Iterator[Usage]:
        return map(Usage, *msgspec.structs.astuple(self))

    def totals(self) -> list[int]:
        """Return `Usage.total` of each."""
        columns = (self.uncached_input, self.cache_write_short, self.cache_write_long, self.cache_read, self.output)
        return list(map(sum, zip(*columns, strict=True)))


class AttemptColumns(msgspec.Struct, frozen=True):
    """Attempts of many calls."""

    kinds: list[AttemptKind]
    kind_indexes: list[int]
    started_unix_ms: list[int]
    duration_ms: list[int]
    usage: UsageColumns

    def rows(self) -> Iterator[Attempt]:
        columns = (self.kind_indexes, self.started_unix_ms, self.duration_ms, self.usage.rows())
        for index, started, duration, usage in zip(*columns, strict=True):
            fields = msgspec.structs.asdict(self.kinds[index])
            yield Attempt(**fields, started_unix_ms=started, duration_ms=duration, usage=usage)


class CallColumns(msgspec.Struct, frozen=True):
    """Calls that are booked together. The attempts of all follow one another; `attempt_counts` parts them."""

    call_ids: list[str]
    kinds: list[CallKind]
    kind_indexes: list[int]
    started_unix_ms: list[int]
    duration_ms: list[int]
    time_to_first_byte_ms: list[int]
    usage: UsageColumns
    saved_micro_usd: list[int]
    attempt_counts: list[int]
    attempts: AttemptColumns

    def __len__(self) -> int:
        return len(self.call_ids)

    def rows(self) -> Iterator[Call]:
        attempts = self.attempts.rows()
        usages = self.usage.rows()
        for place, call_id in enumerate(self.call_ids):
            yield Call(
                call_id,
                **msgspec.structs.asdict(self.kinds[self.kind_indexes[place]]),
                started_unix_ms=self.started_unix_ms[place],
                duration_ms=self.duration_ms[place],
                time_to_first_byte_ms=self.time_to_first_byte_ms[place],
                usage=next(usages),
                saved_micro_usd=self.saved_micro_usd[place],
                attempts=tuple(islice(attempts, self.attempt_counts[place])),
            )


class ChargeColumns(msgspec.Struct, frozen=True):
    """The fields of `Charge`, in its order."""

    micro_usd: list[int]
    is_unpriced: list[bool]

    def rows(self) -> Iterator[Charge]:
        return map(Charge, self.micro_usd, self.is_unpriced)


class PricedCalls(msgspec.Struct, frozen=True):
    """What a ledger books: calls, what they and their attempts cost, and when they are booked."""

    calls: CallColumns
    charges: ChargeColumns
    attempt_charges: ChargeColumns
    booked_unix_ms: int
    counted_tokens: Mapping[str, int]
    """What all of them add to their workspaces' caps."""

    def rows(self) -> Iterator[BookedCall]:
        charges = self.attempt_charges.rows()
        for call, charge in zip(self.calls.rows(), self.charges.rows(), strict=True):
            yield BookedCall(call, charge, tuple(islice(charges, len(call.attempts))), self.booked_unix_ms)
