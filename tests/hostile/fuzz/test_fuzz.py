"""
A run of spoilt requests against every endpoint, and what came of it as tables.

FUZZ_SEED repeats a run, FUZZ_ONLY sends single requests of it again; `make fuzz` sets them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hostile.asking import ENDPOINTS
from hostile.conftest import answers_plainly
from hostile.fuzz.volley import Volley, fire
from hostile.memory import memory, peak_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway import Gateway

SEED = int(os.environ.get("FUZZ_SEED") or 20261121)
REQUESTS = int(os.environ.get("FUZZ_REQUESTS") or 1000)
ONLY = [int(number) for number in os.environ.get("FUZZ_ONLY", "").split(",") if number]
# another seed's requests, so that what is made once is there before memory is measured
WARM_UP = 500
MIB = 1 << 20
MOST_PEAK = 128 * MIB
MOST_GROWTH = 48 * MIB


def test_no_spoilt_request_makes_it_fail_leak_or_grow(
    gateway: Gateway, record_property: Callable[[str, Any], None]
) -> None:
    assert not (warmed := fire(gateway, SEED + 1, range(0 if ONLY else WARM_UP))).faults, _told(SEED + 1, warmed)
    before = memory(gateway)
    with peak_memory(gateway) as peak:
        volley = fire(gateway, SEED, ONLY or range(REQUESTS))
    after = memory(gateway)
    for title, rows in _tables(gateway.topology, volley, before, after, peak).items():
        for row in rows:
            record_property("table", {"title": title, "row": row})
    assert not volley.faults, _told(SEED, volley)
    for name, start in before.items():
        assert peak[name] - start < MOST_PEAK, f"{name} took {peak[name] - start} bytes, FUZZ_SEED={SEED}"
        assert after[name] - start < MOST_GROWTH, f"{name} grew by {after[name] - start} bytes, FUZZ_SEED={SEED}"
    for endpoint in ENDPOINTS:
        answers_plainly(gateway, endpoint)


def _told(seed: int, volley: Volley) -> str:
    return f"send one again with `make fuzz SEED={seed} ONLY=number`: {volley.report()}"


def _tables(
    topology: str, volley: Volley, before: dict[str, int], after: dict[str, int], peak: dict[str, int]
) -> dict[str, list[dict[str, Any]]]:
    counts = {kind: volley.statuses[kind] for kind in ("2xx", "4xx", "5xx", "closed")}
    requests = {"topology": topology, "seed": SEED, "requests": sum(volley.statuses.values()), **counts}
    sizes = [
        {
            "topology": topology,
            "process": name,
            "before": before[name] // MIB,
            "after": after[name] // MIB,
            "peak": peak[name] // MIB,
        }
        for name in before
    ]
    return {
        "spoilt requests and their answers (a 5xx that nobody asked for is a fault)": [
            requests | {"faults": len(volley.faults), "seconds": round(volley.seconds)}
        ],
        "resident memory in MiB before and after them": sizes,
    }
