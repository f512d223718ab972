"""
Brings a ledger of an earlier schema to the present one, the third; run once, at start.

In the first, calls and attempts were wide tables; in the second, no attempt stood in its call's row.
"""

from __future__ import annotations

from tollway_metering.adapters.sqlite_rows import ATTEMPT_FIGURES, ATTEMPT_KIND, CALL_FIGURES, CALL_KIND


def _copy(row: str, kind: tuple[str, ...], figures: tuple[str, ...]) -> str:
    names = ", ".join(kind)
    same = " AND ".join(f"kinds.{name} = old.{name}" for name in kind)
    rest = ", ".join(figures)
    return f"""INSERT INTO {row}_kinds ({names}) SELECT DISTINCT {names} FROM old_{row}s;
INSERT INTO booked_{row}s (id, call_id, kind, {rest})
SELECT old.id, call_id, kinds.id, {rest} FROM old_{row}s AS old JOIN {row}_kinds AS kinds ON {same} ORDER BY old.id;
"""  # noqa: S608, our names


# a transaction, since a script runs in autocommit mode: who is interrupted begins again
FROM_1 = f"""BEGIN IMMEDIATE;
ALTER TABLE calls RENAME TO old_calls;
ALTER TABLE attempts RENAME TO old_attempts;
{{tables}};
{_copy("call", CALL_KIND, ("old.workspace", *CALL_FIGURES)).replace("kind, old.workspace", "kind, workspace")}
{_copy("attempt", ATTEMPT_KIND, ATTEMPT_FIGURES)}
DROP TABLE old_attempts;
DROP TABLE old_calls;
INSERT INTO months
SELECT workspace,
    CAST(strftime('%s', booked_unix_ms / 1000, 'unixepoch', 'start of month') AS INTEGER) * 1000 AS begin_unix_ms,
    sum(uncached_input_tokens + cache_write_short_tokens + cache_write_long_tokens + cache_read_tokens + output_tokens)
FROM calls WHERE NOT is_cache_hit GROUP BY workspace, begin_unix_ms;
PRAGMA user_version = 3;
COMMIT;"""  # noqa: S608, constants

# attempts that are there stay where they are
FROM_2 = """BEGIN IMMEDIATE;
ALTER TABLE booked_calls ADD COLUMN attempt_kind INTEGER REFERENCES attempt_kinds (id);
ALTER TABLE booked_calls ADD COLUMN attempt_started_unix_ms INTEGER;
ALTER TABLE booked_calls ADD COLUMN attempt_duration_ms INTEGER;
DROP VIEW attempts;
{attempts};
PRAGMA user_version = 3;
COMMIT;"""
