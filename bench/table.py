"""Prints figures as one table: absolute values, and multiples of the relay beside them; called by `__main__`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.cases import CASES, PACED
from bench.figures import YARDSTICK
from bench.processes import TOPOLOGIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LABEL = 44
WIDTH = 10


def render(figures: Mapping[str, Any], settings: str) -> str:
    about = figures["machine"]
    where = f"{about['cpus']} CPUs, Python {about['python']}, {about['system']}"
    lines = [
        f"Tollway bench: {settings}",
        f"{where}, load before the run {about['load_before']}",
        "",
        _columns("", "relay", *(cell for name in TOPOLOGIES for cell in (name, "x relay"))),
    ]
    for case in CASES:
        found = figures["cases"][case.name]
        lines.append(_cost(case.title, found))
        if case is not PACED:  # its rate is the upstream's pace
            lines.append(_row("  requests/s", lambda name, found=found: found[name]["per_second"], 0))
    latency = figures["latency"]
    upstream = next(name for name in latency if name not in (YARDSTICK, *TOPOLOGIES))
    bare = latency[upstream]
    title = f"latency added to the upstream's {bare['p50_ms']:.2f} ms: p50 ms"
    lines.append(_row(title, lambda name: latency[name]["added_p50_ms"], 2))
    title = f"latency added to the upstream's {bare['p99_ms']:.2f} ms: p99 ms"
    lines.append(_row(title, lambda name: latency[name]["added_p99_ms"], 2))
    memory = figures["memory_mib"]
    lines += [
        _row(f"memory idle, {kind.upper()}: MiB", lambda name, kind=kind: memory[name][kind], 0)
        for kind in memory[YARDSTICK]
    ]
    return "\n".join([*lines, "", *_budgets(figures)])


def _cost(title: str, found: Mapping[str, Any]) -> str:
    return _row(f"{title}: CPU-ms", lambda name: found[name]["cpu_ms"], 3, ratio=lambda name: found[name]["cpu_ratio"])


def _row(label: str, value: Callable[[str], float], digits: int, ratio: Callable[[str], float] | None = None) -> str:
    base = value(YARDSTICK)
    cells = [f"{base:.{digits}f}"]
    for name in TOPOLOGIES:
        multiple = ratio(name) if ratio else value(name) / base if base > 0 else math.nan
        cells += [f"{value(name):.{digits}f}", f"{multiple:.2f}"]
    return _columns(label, *cells)


def _columns(label: str, *cells: str) -> str:
    return f"{label:<{LABEL}}" + "".join(f"{cell:>{WIDTH + 2}}" for cell in cells)


def _budgets(figures: Mapping[str, Any]) -> list[str]:
    lines = []
    for case in CASES:
        for name, most in figures["budgets"].get(case.name, {}).items():
            found = figures["cases"][case.name][name]
            verdict = "within" if found["cpu_ratio"] <= most else "OVER"
            spread = f"{found['cpu_ratio_least']:.2f} to {found['cpu_ratio_most']:.2f} over the rounds"
            lines.append(
                f"{verdict} budget: {case.title}, {name}: {found['cpu_ratio']:.2f} x relay ({spread}), at most {most:g}"
            )
    return lines
