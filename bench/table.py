"""Prints figures as one table: absolute values, and beside them multiples of the relay and budgets; for `__main__`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.cases import CASES, PACED
from bench.figures import YARDSTICK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LABEL = 42
WIDTH = 12
MEMORY = "pss"  # RSS counts shared pages once for each process


def render(figures: Mapping[str, Any], settings: str) -> str:
    about = figures["machine"]
    table = _Table([name for name in figures["memory_mib"] if name != YARDSTICK])
    _add_cases(table, figures)
    if figures["latency"]:
        _add_latency(table, figures)
    _add_memory(table, figures)
    lines = [
        f"Tollway bench: {settings}",
        f"{about['cpus']} CPUs, Python {about['python']}, {about['system']}, load before: {about['load_before']}",
        "",
        *table.lines,
        "",
        *(table.over or ["every figure is within its budget"]),
    ]
    return "\n".join(lines)


class _Table:
    """Lines of figures, and what is over its budget."""

    def __init__(self, topologies: list[str]) -> None:
        self._topologies = topologies
        heads = [cell for name in topologies for cell in (name, "x relay", "at most")]
        self._width = max([WIDTH, *(len(name) + 2 for name in topologies)])
        self.lines = [self._columns("", YARDSTICK, *heads)]
        self.over: list[str] = []

    def add(
        self,
        label: str,
        value: Callable[[str], float],
        digits: int,
        ratio: Callable[[str], float] | None = None,
        budget: Mapping[str, float] | None = None,
        told: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Add a line; a budget is in relays, `told` is what else is said where it is exceeded."""
        base = value(YARDSTICK)
        cells = [f"{base:.{digits}f}"]
        for name in self._topologies:
            multiple = ratio(name) if ratio else value(name) / base if base > 0 else math.nan
            most = budget.get(name) if budget else None
            cells += [f"{value(name):.{digits}f}", f"{multiple:.2f}", f"{most:g}x" if most else ""]
            if most and multiple > most:
                self.over.append(f"OVER budget: {label}, {name}: {multiple:.2f} x relay{told(name)}, at most {most:g}")
        self.lines.append(self._columns(label, *cells))

    def add_memory(self, label: str, value: Callable[[str], float], budget: Mapping[str, float] | None) -> None:
        """Add a line whose budget is in MiB."""
        base = value(YARDSTICK)
        cells = [f"{base:.0f}"]
        for name in self._topologies:
            most = budget.get(name) if budget else None
            cells += [f"{value(name):.0f}", f"{value(name) / base:.2f}", f"{most:g}" if most else ""]
            if most and value(name) > most:
                self.over.append(f"OVER budget: {label}, {name}: {value(name):.0f}, at most {most:g}")
        self.lines.append(self._columns(label, *cells))

    def _columns(self, label: str, *cells: str) -> str:
        return f"{label:<{LABEL}}" + "".join(f"{cell:>{self._width}}" for cell in cells)


def _add_cases(table: _Table, figures: Mapping[str, Any]) -> None:
    for case in CASES:
        if case.name not in figures["cases"]:
            continue
        found = figures["cases"][case.name]
        table.add(
            f"{case.title}: CPU-ms",
            lambda name, found=found: found[name]["cpu_ms"],
            3,
            ratio=lambda name, found=found: found[name]["cpu_ratio"],
            budget=figures["budgets"]["cpu"].get(case.name),
            told=lambda name, found=found: _spread(found[name]),
        )
        if case is not PACED:  # its rate is the upstream's pace
            table.add("  requests/s", lambda name, found=found: found[name]["per_second"], 0)


def _spread(found: Mapping[str, Any]) -> str:
    return f" ({found['cpu_ratio_least']:.2f} to {found['cpu_ratio_most']:.2f} over the rounds)"


def _add_latency(table: _Table, figures: Mapping[str, Any]) -> None:
    latency = figures["latency"]
    bare = latency["upstream"]
    for percentile, most in figures["budgets"]["latency"].items():
        title = f"added to the upstream's {bare[f'{percentile}_ms']:.2f} ms: {percentile} ms"
        table.add(title, lambda name, key=f"added_{percentile}_ms": latency[name][key], 2, budget=most)


def _add_memory(table: _Table, figures: Mapping[str, Any]) -> None:
    memory = figures["memory_mib"]
    for kind in memory[YARDSTICK]:
        budget = figures["budgets"]["memory_mib"] if kind == MEMORY else None
        table.add_memory(f"memory idle, {kind.upper()}: MiB", lambda name, kind=kind: memory[name][kind], budget)
