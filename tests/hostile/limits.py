"""The limits of the Tollway under test: seconds and bytes that a test can wait for and exceed."""

from __future__ import annotations

LIMITS: dict[str, float] = {
    "head_timeout": 0.3,
    "body_timeout": 0.3,
    "write_timeout": 0.3,
    "idle_timeout": 1.5,
    "max_header_bytes": 16384,
    "max_pipelined": 4,
}
