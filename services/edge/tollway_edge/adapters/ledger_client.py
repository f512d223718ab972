"""metering's ledger as the pipeline's `Ledger`: every call is counted, and sent until it has arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_edge.adapters.batches import Batches
from tollway_edge.adapters.ledger_columns import to_request
from tollway_edge.adapters.ledger_records import Record, Records

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway.metering.v1.metering_pb2_grpc import MeteringServiceAsyncStub

    from tollway_edge.domain.call import Call

SETTLE_SECONDS = 10.0
# records that are booked together share a message, a transaction and a write to the disk
BOOK_SECONDS = 0.2
MOST_PER_BATCH = 512


class LedgerClient:
    """
    Books calls in batches.

    Args:
        stub: metering.
        observe: Counts a record.
    """

    def __init__(self, stub: MeteringServiceAsyncStub, observe: Callable[[Record], None]) -> None:
        self._stub = stub
        self._observe = observe
        self._noted = Records()
        self.records: Batches[Record] = Batches(
            "ledger", self._send, interval=BOOK_SECONDS, most_per_batch=MOST_PER_BATCH, retries=True
        )

    def record(self, call: Call, cost_micro_usd: int | None) -> None:
        record = self._noted.of(call, cost_micro_usd)
        self.records.add(record)
        self._observe(record)

    async def _send(self, records: list[Record]) -> None:
        await self._stub.SettleCalls(to_request(records), timeout=SETTLE_SECONDS)
