"""Answers that are kept while they are sent share a budget: it is never exceeded, and small ones stay."""

from __future__ import annotations

import random

import pytest
from tollway_edge.domain.keeping import Keeping

MOST = 1000


@pytest.fixture
def waiting() -> list[int]:
    return []


@pytest.fixture
def keeping(waiting: list[int]) -> Keeping:
    return Keeping(MOST, lambda: sum(waiting), step=1)


def test_an_answer_is_taken_as_it_came_and_held_no_longer(keeping: Keeping) -> None:
    with keeping.begin(MOST) as kept:
        for piece in (b"one ", b"two ", b"three"):
            kept.add(piece)
        assert keeping.bytes == 13
        assert kept.taken() == b"one two three"
        assert keeping.bytes == 0
    assert keeping.crowded_out == 0


def test_an_answer_above_its_own_limit_is_let_go_at_once_and_crowded_out_by_nobody(keeping: Keeping) -> None:
    with keeping.begin(most=10) as kept:
        kept.add(bytes(10))
        kept.add(b"!")
        assert keeping.bytes == 0
        kept.add(b"!")
        assert (keeping.bytes, kept.taken(), keeping.crowded_out) == (0, None, 0)


def test_a_call_that_ends_early_holds_nothing_any_more(keeping: Keeping) -> None:
    def fail() -> None:
        with keeping.begin(MOST) as kept:
            kept.add(bytes(10))
            raise RuntimeError("the client left")

    with pytest.raises(RuntimeError):
        fail()
    assert keeping.bytes == 0


def test_without_room_the_largest_is_let_go_for_one_within_its_share(keeping: Keeping) -> None:
    with keeping.begin(MOST) as small, keeping.begin(MOST) as stuck, keeping.begin(MOST) as large:
        small.add(bytes(100))
        large.add(bytes(300))
        stuck.add(bytes(600))
        small.add(bytes(1))
        assert (stuck.taken(), keeping.crowded_out) == (None, 1)
        assert small.taken() == bytes(101)
        assert large.taken() == bytes(300)


def test_without_room_one_beyond_its_share_is_let_go_when_it_grows_on(keeping: Keeping) -> None:
    with keeping.begin(MOST) as larger, keeping.begin(MOST) as grows:
        larger.add(bytes(1))
        grows.add(bytes(501))
        larger.add(bytes(498))
        grows.add(b"!")
        assert (grows.taken(), keeping.crowded_out) == (None, 1)
        assert larger.taken() == bytes(499)


def test_of_equal_answers_that_have_no_room_together_some_come_to_their_end(keeping: Keeping) -> None:
    answers = [keeping.begin(MOST) for _ in range(20)]
    for _ in range(10):
        for kept in answers:
            kept.add(bytes(10))
    whole = [kept.taken() for kept in answers].count(bytes(100))
    assert 5 <= whole <= 10


def test_what_waits_to_be_stored_counts_too(keeping: Keeping, waiting: list[int]) -> None:
    with keeping.begin(MOST) as kept, keeping.begin(MOST) as late:
        kept.add(bytes(300))
        waiting.append(700)
        late.add(b"!")
        assert (kept.taken(), keeping.crowded_out) == (None, 1)
        waiting.append(300)
        late.add(b"!")
        assert (late.taken(), keeping.crowded_out) == (None, 2)


def test_the_budget_is_never_exceeded(keeping: Keeping, waiting: list[int]) -> None:
    chance = random.Random(7)
    answers = [keeping.begin(chance.choice((50, 400, MOST))) for _ in range(30)]
    for _ in range(3000):
        if chance.random() < 0.02:
            size = chance.randrange(200)
            keeping.make_room(size)
            waiting[:] = [size]
        at = chance.randrange(len(answers))
        answers[at].add(bytes(chance.randrange(60)))
        assert keeping.bytes <= MOST
        if chance.random() < 0.05:
            answers[at].let_go()
            answers[at] = keeping.begin(MOST)
    assert keeping.crowded_out > 0
    for kept in answers:
        kept.let_go()
    assert keeping.bytes == sum(waiting)


def test_an_answer_asks_for_room_a_step_at_a_time_and_for_no_more_than_it_may_have() -> None:
    keeping = Keeping(MOST, lambda: 0, step=4)
    with keeping.begin(10) as kept:
        held = []
        for _ in range(9):
            kept.add(b"x")
            held.append(keeping.bytes)
        assert held == [4, 4, 4, 4, 8, 8, 8, 8, 10]
        kept.add(b"x")
        kept.add(b"x")
        assert (kept.taken(), keeping.bytes) == (None, 0)


def test_an_answer_that_was_let_go_takes_nothing_into_the_room_it_had() -> None:
    keeping = Keeping(MOST, lambda: 0, step=100)
    with keeping.begin(MOST) as kept:
        kept.add(b"1")
        keeping.crowd_out(kept)
        kept.add(b"2")
        assert (kept.size, keeping.bytes) == (1, 0)
