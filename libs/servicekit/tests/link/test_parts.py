"""How a long message is put together, and what is refused on the way."""

from __future__ import annotations

import pytest
from tollway_servicekit.channel import MAX_MESSAGE_BYTES
from tollway_servicekit.link.frames import BrokenFrames
from tollway_servicekit.link.parts import LEAST_PART_BYTES, Parts


def test_parts_and_the_last_piece_make_the_message() -> None:
    parts = Parts()
    for letter in (b"a", b"b", b"c"):
        parts.add(letter * LEAST_PART_BYTES)
    assert parts.join(b"d") == b"a" * LEAST_PART_BYTES + b"b" * LEAST_PART_BYTES + b"c" * LEAST_PART_BYTES + b"d"


@pytest.mark.parametrize("length", [0, LEAST_PART_BYTES - 1])
def test_a_part_that_is_too_short_is_refused(length: int) -> None:
    with pytest.raises(BrokenFrames, match="too short"):
        Parts().add(bytes(length))


def test_parts_of_more_than_a_message_may_be_are_refused_whatever_their_sizes() -> None:
    parts = Parts()
    parts.add(bytes(MAX_MESSAGE_BYTES - LEAST_PART_BYTES))
    parts.add(bytes(LEAST_PART_BYTES))
    with pytest.raises(BrokenFrames, match="longer than any may be"):
        parts.add(bytes(LEAST_PART_BYTES))
