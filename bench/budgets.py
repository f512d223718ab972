"""What Tollway may cost, in relays of the same run or in MiB; printed beside the figures by `table`."""

from __future__ import annotations

CPU = {
    "json": {"compact": 0.6, "distributed": 1.2},
    "hit": {"compact": 0.4, "distributed": 0.8},
    "stream": {"compact": 1.5, "distributed": 2.5},
    "paced": {"compact": 1.0, "distributed": 3.0},
    "large": {"compact": 1.0, "distributed": 2.0},
}
"""The most CPU time a request may take, in relays, by case and topology."""
LATENCY = {
    "p50": {"compact": 0.8, "distributed": 2.0},
    "p99": {"compact": 1.2, "distributed": 2.0},
}
"""The most that may be added to the upstream's latency, in what the relay adds."""
MEMORY_MIB = {"compact": 130.0, "distributed": 600.0}
"""The most memory all processes may take together before the first request."""
BUDGETS = {"cpu": CPU, "latency": LATENCY, "memory_mib": MEMORY_MIB}
