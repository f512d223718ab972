"""Lookups and stores when something is wrong with the store: no call fails, each loss is counted, few are logged."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tollway_cache.domain.lookup import look_up, look_up_all
from tollway_cache.domain.losses import WARNING_INTERVAL_SECONDS, Loss, Losses
from tollway_cache.domain.ports import AnswerUnreadable, StoreUnavailable
from tollway_cache.domain.store import store_answers
from tollway_dialects.stored_answer import pack


class StoreThat:
    """Answers every call in one way."""

    def __init__(self, outcome: object) -> None:
        self.outcome = outcome

    async def get(self, partition: str, exact_key: bytes) -> Any:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def get_all(self, partition: str, exact_keys: Any) -> Any:
        return await self.get(partition, b"")

    async def put(self, entries: Any) -> int:
        raise StoreUnavailable("gone")


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def losses(now: list[float]) -> Losses:
    return Losses(lambda: now[0])


@pytest.mark.parametrize(
    ("outcome", "loss"),
    [
        (StoreUnavailable("gone"), Loss.LOOKUP_FAILED),
        (AnswerUnreadable("a list"), Loss.ANSWER_UNREADABLE),
    ],
)
async def test_whatever_is_wrong_with_the_store_is_a_counted_miss(
    losses: Losses, key: Any, outcome: Exception, loss: Loss
) -> None:
    assert await look_up("acme", key(1), store=StoreThat(outcome), losses=losses) is None
    assert losses.counts == {loss: 1}


@pytest.mark.parametrize(
    "value",
    [b"", b"garbage", b"\xff" * 50, b"\x91\x01", b'{"partition":"acme"}'],
    ids=["empty", "text", "bytes", "too short", "json"],
)
async def test_a_value_that_is_no_answer_is_a_counted_miss(
    losses: Losses, key: Any, value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert await look_up("acme", key(1), store=StoreThat(value), losses=losses) is None
    assert losses.counts == {Loss.ANSWER_UNREADABLE: 1}
    assert f"no answer of this version ({len(value)} bytes)" in caplog.text


async def test_an_answer_cut_short_or_of_another_version_is_a_counted_miss(
    losses: Losses, key: Any, answer: Any
) -> None:
    packed = pack(answer())
    for broken in (packed[:-1], packed.replace(b"\x02", b"\x01", 1)):
        assert await look_up("acme", key(1), store=StoreThat(broken), losses=losses) is None
    assert losses.counts == {Loss.ANSWER_UNREADABLE: 2}


async def test_a_foreign_value_is_a_counted_and_logged_miss(
    losses: Losses, key: Any, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for foreign in (answer(partition="globex", number=1), answer(partition="acme", number=2)):
        assert await look_up("acme", key(1), store=StoreThat(pack(foreign)), losses=losses) is None
    assert losses.counts == {Loss.ANSWER_FOREIGN: 2}
    assert "another workspace" in caplog.text
    assert "hello" not in caplog.text


async def test_of_several_only_what_is_wrong_is_a_counted_miss(losses: Losses, key: Any, answer: Any) -> None:
    found = [pack(answer()), b"junk", None, pack(answer(number=7))]
    keys = [key(number) for number in (1, 2, 3, 4)]
    assert await look_up_all("acme", keys, store=StoreThat(found), losses=losses) == [answer(), None, None, None]
    assert losses.counts == {Loss.ANSWER_UNREADABLE: 1, Loss.ANSWER_FOREIGN: 1}


async def test_several_lookups_that_fail_together_are_counted_each(losses: Losses, key: Any) -> None:
    store = StoreThat(StoreUnavailable("gone"))
    assert await look_up_all("acme", [key(1), key(2)], store=store, losses=losses) == [None, None]
    assert losses.counts == {Loss.LOOKUP_FAILED: 2}


async def test_its_own_value_is_a_hit(losses: Losses, key: Any, answer: Any) -> None:
    assert await look_up("acme", key(1), store=StoreThat(pack(answer())), losses=losses) == answer()
    assert not losses.counts


async def test_answers_are_dropped_and_counted_when_the_store_is_gone(losses: Losses, entry: Any) -> None:
    entries = [entry(number=1), entry(number=2)]
    assert await store_answers(entries, store=StoreThat(None), losses=losses) == 0
    assert losses.counts == {Loss.ANSWER_DROPPED: 2}


async def test_an_outage_warns_once_an_interval_with_the_count_since(
    losses: Losses, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        losses.note(Loss.LOOKUP_FAILED)
    now[0] += WARNING_INTERVAL_SECONDS
    losses.note(Loss.LOOKUP_FAILED)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [warning.split()[0] for warning in warnings] == ["1", "100"]
    assert "(101 since the start)" in warnings[1]
