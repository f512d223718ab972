"""Rows of the ledger as soon as they are there: a call is booked once its client was served, not before."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway import Gateway

PATIENCE_SECONDS = 5
Row = dict[str, Any]


def newest(gateway: Gateway) -> str:
    """Return the id of the latest call, "" where there is none."""
    return next((row["query_id"] for row in gateway.recent(1)), "")


def rows_since(gateway: Gateway, known: str, count: int = 1) -> list[Row]:
    """Return the calls after one that is known, newest first, as soon as there are so many."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = list(itertools.takewhile(lambda row: row["query_id"] != known, gateway.recent(100)))
        if len(rows) >= count:
            return rows
        assert time.monotonic() < deadline, f"{len(rows)} of {count} calls were booked"


def row_of(gateway: Gateway, query_id: str) -> Row:
    """Return the one row of a call as soon as there is one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (rows := [row for row in gateway.recent(100) if row["query_id"] == query_id]):
        assert time.monotonic() < deadline, "the call was never booked"
    assert len(rows) == 1, f"{len(rows)} rows of call {query_id}"
    return rows[0]
