"""Prints at the end of a run the tables whose rows tests recorded; a row is the property `table`, with its title."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    tables: dict[str, list[Row]] = {}
    for reports in list(terminalreporter.stats.values()):
        for report in reports:
            if getattr(report, "when", "") == "call":
                for name, told in report.user_properties:
                    if name == "table":
                        tables.setdefault(told["title"], []).append(told["row"])
    for title, rows in tables.items():
        terminalreporter.section(title)
        for line in _lines(rows):
            terminalreporter.write_line(line)


def _lines(rows: list[Row]) -> list[str]:
    """Align the columns: text to the left, numbers to the right."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[str(row.get(name, "")) for name in columns] for row in rows]
    widths = [max(len(line[index]) for line in [columns, *cells]) for index in range(len(columns))]
    are_numbers = [isinstance(rows[0].get(name), int) for name in columns]
    return [
        "  ".join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(line, widths, are_numbers, strict=True)
        ).rstrip()
        for line in [columns, *cells]
    ]
