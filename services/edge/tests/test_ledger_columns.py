"""A batch is the same message however its columns are put into it."""

from __future__ import annotations

import random
from itertools import chain
from typing import Any

import msgspec
import pytest
from tollway.chat.v1 import chat_pb2
from tollway.metering.v1 import metering_pb2
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_edge.adapters.ledger_columns import to_request
from tollway_edge.adapters.ledger_records import Attempted, Kind
from tollway_edge.domain.call import FAILED, SUCCEEDED

USAGE = [field.name for field in chat_pb2.Usage.DESCRIPTOR.fields]


def kind(model: str, status: Any) -> Kind:
    dialect = Dialect.ANTHROPIC_MESSAGES
    return Kind("acme", dialect, False, model, model, "p", "n/a", "n/a", "none", status, 200, "", "", "", False)


def batch(chance: random.Random, size: int) -> list[Any]:
    """Return records as `Records` makes them, with columns that are all 0 now and then."""
    kinds = [kind("a", SUCCEEDED), kind("b", FAILED)][: chance.randint(1, 2)]
    fields = [chance.random() < 0.5 for _ in USAGE[:-1]]

    def usage() -> Usage:
        counts = [chance.choice((0, 1, 127, 128, 10**9)) if told else 0 for told in fields]
        return Usage(*counts, is_estimated=chance.random() < 0.1)

    records, most = [], chance.randint(0, 3)
    for number in range(size):
        spent = usage()
        tried = [Attempted(8, chance.randint(0, 9), usage(), each + 1, "p", "a") for each in range(most)]
        if most == 1 and chance.random() < 0.9:
            tried = [msgspec.structs.replace(tried[0], usage=spent)]
        began = (f"{number:032x}", 1_795_000_000_000 + number, chance.choice((0.0, 1.5)), chance.choice((0.0, 0.0001)))
        records.append((chance.choice(kinds), *began, spent, chance.choice((0, 7)), tried, None))
    return records


def usage_columns(usages: list[Usage]) -> dict[str, Any]:
    return {name: [msgspec.structs.astuple(each)[place] for each in usages] for place, name in enumerate(USAGE)}


@pytest.mark.parametrize("seed", range(60))
def test_a_batch_holds_every_figure_in_its_place(seed: int) -> None:
    chance = random.Random(seed)
    records = batch(chance, chance.choice((1, 2, 127, 128, 129, 512)))
    sent = metering_pb2.SettleCallsRequest.FromString(to_request(records).SerializeToString()).columns
    tried = list(chain.from_iterable(record[7] for record in records))
    kinds = list(dict.fromkeys(record[0] for record in records))
    assert [each.model for each in sent.kinds] == [each.requested_model for each in kinds]
    assert [each.number for each in sent.attempts.kinds] == list(dict.fromkeys(each.number for each in tried))
    del sent.kinds[:], sent.attempts.kinds[:]
    numbers = list(dict.fromkeys(each.number for each in tried))
    assert sent == metering_pb2.CallColumns(
        call_ids=[bytes.fromhex(record[1]) for record in records],
        kind_indexes=[kinds.index(record[0]) for record in records],
        started_unix_ms=[record[2] for record in records],
        duration_ms=[round(record[3] * 1000) for record in records],
        time_to_first_byte_ms=[1 if record[4] else 0 for record in records],
        usage=metering_pb2.UsageColumns(**usage_columns([record[5] for record in records])),
        saved_micro_usd=[record[6] for record in records],
        attempt_counts=[len(record[7]) for record in records],
        attempts=metering_pb2.AttemptColumns(
            kind_indexes=[numbers.index(each.number) for each in tried],
            started_unix_ms=[each.started_unix_ms for each in tried],
            duration_ms=[each.duration_ms for each in tried],
            usage=metering_pb2.UsageColumns(**usage_columns([each.usage for each in tried])),
        ),
    )
