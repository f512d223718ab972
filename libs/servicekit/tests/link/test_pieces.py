"""Pieces are joined in order; where they stay is bounded."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st
from tollway_servicekit.link.pieces import LEAST_KEPT_BYTES, Pieces


@given(st.lists(st.tuples(st.integers(0, 3 * LEAST_KEPT_BYTES), st.integers(0, 2 * LEAST_KEPT_BYTES)), max_size=20))
def test_pieces_come_out_in_the_order_in_which_they_came(cuts: list[tuple[int, int]]) -> None:
    pieces, wanted = Pieces(), b""
    for number, (size, start) in enumerate(cuts):
        data = bytes([number]) * (start + size)
        pieces.add(memoryview(data)[start:])
        wanted += data[start:]
    assert pieces.join(b"last") == wanted + b"last"


def test_a_large_piece_is_not_copied() -> None:
    data = bytes(1_000_000)
    pieces = Pieces()
    tracemalloc.start()
    pieces.add(memoryview(data)[400_000:])
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1000


def test_a_small_piece_does_not_keep_all_that_was_read_with_it() -> None:
    pieces = Pieces()
    tracemalloc.start()
    for _ in range(100):
        pieces.add(memoryview(bytes(100_000))[:LEAST_KEPT_BYTES])
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2 * 100 * LEAST_KEPT_BYTES
