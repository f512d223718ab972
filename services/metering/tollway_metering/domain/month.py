"""The calendar month in UTC, the period of every cap."""

from __future__ import annotations

from datetime import UTC, datetime


def month_of(unix_ms: int) -> tuple[int, int]:
    """Return the first moment of the month that holds `unix_ms`, and the first moment after it."""
    first = datetime.fromtimestamp(unix_ms / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = first.replace(year=first.year + 1, month=1) if first.month == 12 else first.replace(month=first.month + 1)
    return _unix_ms(first), _unix_ms(after)


def to_iso(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unix_ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
